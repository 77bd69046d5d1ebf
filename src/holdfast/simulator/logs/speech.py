"""What a message of a log says: its text apart from thoughts, or why it has none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.agents.message_content import read_content, read_message, repaired, split_thoughts
from holdfast.agents.protocols import Role
from holdfast.agents.raters.linear.legibility import NO_TEXT
from holdfast.core.wording import quote
from holdfast.simulator.logs.shapes import CONTENTS, content_of

#: Keys of a message beside which nothing else of it is read.
_PLAIN = frozenset((*CONTENTS, "role", "from", "sender", "labels", "tag", "chars", "id", "name", "timestamp"))
#: Keys of a message that say something about it.
_ABOUT = _PLAIN | {"sender", "author", "speaker", "type", "finish_reason", "stop_reason", "missing", "created_at"}
_FILTERED = ("content_filter", "safety", "blocked")


@dataclass(frozen=True, slots=True)
class Speech:
    """What is said. ``missing``: why there is no text, "" where there is some; ``unreadable``: a shape nobody knows."""

    text: str
    thoughts: str = ""
    missing: str = ""
    unreadable: str = ""


def speech_of(role: Role, raw: Mapping[str, Any] | str) -> Speech:
    """Return what ``role`` says in a message. ``raw``: its text, or a mapping that holds content in any shape.

    Thoughts are looked for in what an assistant says.
    """
    content = raw if isinstance(raw, str) else content_of(raw)
    if isinstance(content, (int, float)) and not isinstance(content, bool):
        content = str(content)
    if isinstance(content, str) and role != "assistant":  # a person may write the marks of thoughts
        text = repaired(content)
        return Speech(text, missing="" if text.strip() else _attached(raw))
    if isinstance(content, str) and content.strip() and (isinstance(raw, str) or raw.keys() <= _PLAIN):
        speech, thoughts, tools = split_thoughts(repaired(content))  # the busiest case
        if speech.strip() or not tools:
            return Speech(
                speech,
                thoughts,
                "" if speech.strip() else _why("thoughts only" if thoughts else "an empty message", raw),
            )
    if isinstance(raw, str):
        said = read_content(raw)
    else:
        said = read_message({**{key: raw[key] for key in raw if key not in CONTENTS}, "content": content})
    if said.text.strip():
        return Speech(said.text, said.thoughts)
    unknown = said.unknown or _elsewhere(raw)
    if unknown and not (said.tool_calls or said.refusal or said.thoughts or said.attachments):
        return Speech("", unreadable=", ".join(unknown))
    return Speech("", said.thoughts, _why(said.why_no_text, raw))


def _elsewhere(raw: Mapping[str, Any] | str) -> tuple[str, ...]:
    """Return what may hold a text under a name that nobody knows, in a message without any content."""
    if isinstance(raw, str) or not raw.keys().isdisjoint(CONTENTS):
        return ()
    filled = [key for key, value in raw.items() if key not in _ABOUT and isinstance(value, (str, list, dict)) and value]
    return (f"no content; its keys are {', '.join(quote(str(key))[1:-1] for key in raw)}",) if filled else ()


def _attached(raw: Mapping[str, Any] | str) -> str:
    if isinstance(raw, str):
        return ""
    files = read_message({key: raw[key] for key in raw if key not in CONTENTS})
    return "" if files.why_no_text == "an empty message" else f"no text: {files.why_no_text}"


def _why(reason: str, raw: Mapping[str, Any] | str) -> str:
    about: Mapping[str, Any] = {} if isinstance(raw, str) else raw
    ended = next((about[key] for key in ("finish_reason", "stop_reason", "finishReason") if about.get(key)), "")
    if isinstance(ended, str) and ended.lower() in _FILTERED:
        return f"no text: a filter ({quote(ended)[1:-1]})"
    own = about.get("missing")
    if isinstance(own, str) and own.strip():
        return repaired(own)[:200]
    return NO_TEXT if reason == "an empty message" else f"no text: {reason}"
