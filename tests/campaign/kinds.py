"""Every kind of fault that the campaign tries, by name."""

from __future__ import annotations

from tests.campaign import adapter_files, commands, endpoints, local_models, logs, passage, replies
from tests.campaign.tries import Kind

KINDS: dict[str, Kind] = {
    "thoughts-served": Kind(1, "thoughts in answers", replies.thoughts_served, 1.5),
    "thoughts-in-logs": Kind(1, "thoughts in logs", replies.thoughts_in_logs),
    "no-answer": Kind(2, "no answer", replies.no_answer, 1.5),
    "languages": Kind(11, "other languages, emoji", replies.languages),
    "trifles": Kind(16, "trifles beside an answer", replies.trifles),
    "extra-null": Kind(17, "extra: null", replies.extra_null),
    "surrogates": Kind(20, "lone surrogates", replies.surrogates),
    "dead-endpoint": Kind(14, "dead endpoints", endpoints.dead_endpoint, 1.5),
    "dead-network": Kind(14, "dead networks", endpoints.dead_network),
    "interrupted": Kind(14, "Ctrl-C while waiting", endpoints.interrupted, 0.3),
    "storm": Kind(13, "faults that pass", endpoints.storm),
    "outage": Kind(13, "some conversations fail", endpoints.outage),
    "other-success": Kind(16, "other right answers", passage.other_success, 0.7),
    "proxies": Kind(18, "proxies", passage.proxies),
    "wait-asked": Kind(19, "Retry-After", endpoints.wait_asked),
    "asks-too-long": Kind(19, "Retry-After without end", endpoints.asks_too_long, 0.3),
    "sizes": Kind(21, "sizes", passage.sizes),
    "keys": Kind(22, "keys", passage.keys),
    "ids": Kind(4, "ids that merge", logs.ids),
    "columns": Kind(4, "unnamed and double columns", logs.columns, 0.5),
    "lost-rows": Kind(5, "rows lost between others", logs.lost_rows),
    "lost-messages": Kind(5, "messages lost in JSON", logs.lost_messages),
    "fuzz-logs": Kind(26, "mutated logs", logs.fuzz_logs, fuzz=True),
    "numbers": Kind(25, "numbers on the command line", commands.numbers),
    "arguments": Kind(25, "any word as any argument", commands.arguments, 1.5),
    "streams": Kind(25, "closed, full, unread streams", commands.streams, 0.7),
    "from-python": Kind(25, "values from Python", commands.from_python),
    "fuzz-yaml": Kind(27, "hostile YAML", commands.fuzz_yaml, fuzz=True),
    "templates": Kind(3, "templates and system messages", local_models.templates, 1.5),
    "adapter-folders": Kind(6, "adapters", adapter_files.adapter_folders, 1.5),
    "resumed": Kind(7, "resumed with changed inputs", local_models.resumed),
    "clock": Kind(8, "clocks in templates", local_models.clock, 0.5),
    "positions": Kind(8, "LongRoPE, batches, caches", local_models.positions, 0.7),
    "end-of-turn": Kind(9, "ends of turns", local_models.end_of_turn),
    "cut-dialogues": Kind(10, "truncation in training", local_models.cut_dialogues, 0.7),
    "absurd-models": Kind(23, "absurd model folders", local_models.absurd_models),
    "fuzz-adapters": Kind(28, "broken adapters", adapter_files.fuzz_adapters, fuzz=True),
}
