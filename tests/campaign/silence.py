"""Replies without text, in every shape of the field: what becomes of them in a study and in a log."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.campaign.replies import heard, measured, message, plain, speech
from tests.campaign.talks import Line, rated, talk
from tests.campaign.tries import Scene, draw, equal

CALL = {"id": "1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
#: Name -> the message, the choice's other fields, the outcome.
SILENT: dict[str, tuple[Any, dict[str, Any], str]] = {
    "null": (message(None), {"finish_reason": "stop"}, "empty"),
    "empty": (message(""), {"finish_reason": "stop"}, "empty"),
    "space": (message(" \n\t"), {"finish_reason": "stop"}, "empty"),
    "absent": ({"role": "assistant"}, {"finish_reason": "stop"}, "empty"),
    "tool call": (message(None, tool_calls=[CALL]), {"finish_reason": "tool_calls"}, "tool call"),
    "function call": (message("", function_call={"name": "find"}), {"finish_reason": "function_call"}, "tool call"),
    "tool call written": (message('<tool_call>{"name": "find"}</tool_call>'), {"finish_reason": "stop"}, "tool call"),
    "filter": (message(None), {"finish_reason": "content_filter"}, "filtered"),
    "filter without a message": (None, {"finish_reason": "content_filter"}, "filtered"),
    "safety": (message(""), {"finish_reason": "SAFETY"}, "filtered"),
    "cut": (message(""), {"finish_reason": "length"}, "cut"),
    "image": (message([{"type": "image_url", "image_url": {"url": "x"}}]), {"finish_reason": "stop"}, "empty"),
    "unknown": (message({"weather": "fine"}), {"finish_reason": "stop"}, "unknown shape"),
    "number": (message(42), {"finish_reason": "stop"}, "unknown shape"),
}


def no_answer(scene: Scene) -> str:
    """Silence is a turn with its outcome; it is known to fail, and left out of what is sent."""
    rng, lines = scene.rng, []
    for _ in range(rng.randint(1, 5)):
        if rng.random() < 0.3:
            lines.append(plain(rng))
            continue
        _, (own, choice, outcome) = draw(rng, SILENT)
        lines.append(Line(own, "", outcome=outcome, choice=choice))
    if rng.random() < 0.3:
        said = speech(rng)
        lines.append(Line(message(said), said, outcome="cut", choice={"finish_reason": "length"}))
        declined = "I cannot help with that."
        lines.append(Line(message(None, refusal=declined), declined, outcome="refusal"))
    talk(scene.folder, lines)
    silent = sum(not line.speech for line in lines)
    log = scene.folder / "log"
    log.mkdir()
    check_silent_log(scene, [line.message or message(None) for line in lines])
    return f"{'all' if silent == len(lines) else 'some' if silent else 'none'} silent"


def check_silent_log(scene: Scene, said: list[Any]) -> None:
    """In a log too: but what a tool was asked or an image shows is unknown, and an unknown shape loses its talk."""
    lost = any(isinstance(each.get("content"), dict) for each in said)
    results = measured(scene, "log/same", [said, [message("I am so sorry.")]])
    equal((results.turns, results.skipped.total), (1 if lost else len(said) + 1, int(lost)), "turns and skips of a log")
    if lost:
        return
    unknown = [each for each in said if "call" in str(each) or "image" in str(each)]
    texts = [each.get("content") or each.get("refusal") or "" for each in said if each not in unknown]
    ratings = rated(heard(map(str, texts)))
    failures = Counter(rating.disqualified for rating in ratings if rating.disqualified)
    equal(results.disqualified_replies, dict(failures), "disqualified replies of a log")
    missing = sum(bool(rating.missing) for rating in ratings)
    equal(sum(results.unrated_replies.values()), len(unknown) + missing, "unrated replies of a log")
