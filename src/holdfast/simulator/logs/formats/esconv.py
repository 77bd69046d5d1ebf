"""ESConv (Liu et al., ACL 2021): human supporters, rated by the seeker during and after the conversation.

Two shapes: the authors' own JSON array (``dialog``, ``survey_score``; speakers seeker/supporter, or speaker/listener in
FailedESConv), and JSON lines with ``messages``, ``seeker_feedback`` and ``seeker_empathy``. Feedback is on the seeker's
message and rates the supporter's turns before it. Missing ratings, and those of 0, are left out as the authors do.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.agents.protocols import Role
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import describe_value
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.document_reader import DocumentReader, keys_seen
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.shapes import first_id
from holdfast.simulator.logs.values import columns_of, label_of, word_of
from holdfast.simulator.logs.writing import count_left_out, whole_file

Faults = list[tuple[str, str]]
_ROLES: dict[object, Role] = {
    "seeker": "user", "speaker": "user", "usr": "user", "user": "user",
    "supporter": "assistant", "listener": "assistant", "sys": "assistant", "assistant": "assistant",
}  # fmt: skip
#: Label -> (its name in the JSON lines, its name in the authors' survey).
_AFTER = {
    "empathy": ("seeker_empathy", "empathy"),
    "relevance": ("seeker_relevance", "relevance"),
    "initial_intensity": ("initial_intensity", "initial_emotion_intensity"),
    "final_intensity": ("final_intensity", "final_emotion_intensity"),
}
_COLUMNS = {"emotion": "emotion_type", "problem": "problem_type"}
_OWN = frozenset(("conversation_id", "messages", "dialog", "survey_score", "situation", "seeker_question1"))


def recognises(file: Glimpse) -> bool:
    """Whether the values are ESConv's dialogues, in either shape."""
    return file.has("dialog") or file.has("seeker_empathy", "messages") or file.has("seeker_relevance", "messages")


def conversation_of(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    """Yield the conversation of one document, in either shape, and its unusable parts."""
    listed = raw.get("dialog", raw.get("messages")) if isinstance(raw, Mapping) else None
    if not isinstance(listed, list):
        yield SkippedLine(place, "conversation", "no messages", f"expected dialog or messages; {keys_seen(raw)}")
        return
    draft = ConversationDraft(place)
    for number, message in enumerate(listed, start=1):
        _add(draft, message, f"{place}, message {number}")
    faults: Faults = []
    labels = _labels(raw, faults)
    draft.fault(place, faults)
    known = {ours: word_of(raw.get(ours, raw.get(theirs))) for ours, theirs in _COLUMNS.items()}
    marks = frozenset((*_COLUMNS, *_COLUMNS.values(), *(line for line, _ in _AFTER.values())))
    columns = columns_of(raw, _OWN | marks) | {name: word for name, word in known.items() if word}
    yield from draft.finish(first_id(raw, ("conversation_id", "id")), columns=columns, labels=labels)


READER = DocumentReader(conversation_of)


def _labels(raw: Mapping[str, Any], faults: Faults) -> dict[str, float]:
    survey = raw.get("survey_score")
    seeker = survey.get("seeker") if isinstance(survey, Mapping) else None
    theirs: Mapping[str, Any] = seeker if isinstance(seeker, Mapping) else {}
    labels = {name: label_of(name, raw.get(a, theirs.get(b)), faults) for name, (a, b) in _AFTER.items()}
    return {name: value for name, value in labels.items() if value is not None}


def _add(draft: ConversationDraft, raw: Any, where: str) -> None:
    if not isinstance(raw, Mapping):
        draft.lose(where, "not a message", describe_value(raw))
        return
    word = raw.get("speaker", raw.get("role"))
    role = _ROLES.get(word) if isinstance(word, str) else None
    if role is None:
        draft.lose(where, "speaker is not seeker or supporter", describe_value(word))
        return
    note = raw.get("annotation")
    theirs: Mapping[str, Any] = note if isinstance(note, Mapping) else {}
    faults: Faults = []
    mark = label_of("feedback", raw.get("seeker_feedback", theirs.get("feedback")), faults)
    draft.fault(where, faults)
    tag = word_of(raw.get("strategy", theirs.get("strategy")))
    content = raw.get("content", raw.get("text"))
    said: Mapping[str, Any] | str = content.strip() if isinstance(content, str) else {"content": content}
    draft.say(role, said, where, labels={} if mark is None else {"feedback": mark}, tag=tag)


@dataclass(frozen=True, slots=True)
class EsconvWriter:
    """Writes JSON lines."""

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        left: Counter[str] = Counter()
        with whole_file(path) as file:
            for conversation in conversations:
                count_left_out(conversation, left, labels=("feedback",), after=_AFTER, columns=_COLUMNS, tags=True)
                left["system messages"] += sum(m.role == "system" for m in conversation.messages)
                document: dict[str, Any] = {"conversation_id": conversation.id}
                document |= {name: conversation.columns[name] for name in _COLUMNS if name in conversation.columns}
                document |= {
                    line: conversation.labels[name] for name, (line, _) in _AFTER.items() if name in conversation.labels
                }
                document["messages"] = [_line(m) for m in conversation.messages if m.role != "system"]
                file.write(json.dumps(document, ensure_ascii=False) + "\n")
        return +left


def _line(message: LogMessage) -> dict[str, Any]:
    line: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.tag:
        line["strategy"] = message.tag
    if "feedback" in message.labels:
        line["seeker_feedback"] = message.labels["feedback"]
    return line
