"""Every kind of fault that the campaign tries, by name."""

from __future__ import annotations

from tests.campaign import replies
from tests.campaign.tries import Kind

KINDS: dict[str, Kind] = {
    "thoughts-served": Kind(1, "thoughts in answers", replies.thoughts_served, 1.5),
    "thoughts-in-logs": Kind(1, "thoughts in logs", replies.thoughts_in_logs),
    "no-answer": Kind(2, "no answer", replies.no_answer, 1.5),
    "languages": Kind(11, "other languages, emoji", replies.languages),
    "trifles": Kind(16, "trifles beside an answer", replies.trifles),
    "extra-null": Kind(17, "extra: null", replies.extra_null),
    "surrogates": Kind(20, "lone surrogates", replies.surrogates),
}
