"""sdialog's ``Dialog`` as JSON: ``turns`` of ``speaker`` and ``text``; one file per dialogue, an array, or lines."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.agents.protocols import Role
from holdfast.simulator.logs.documents import DocumentReader
from holdfast.simulator.logs.records import Conversation, LogMessage, SkippedLine
from holdfast.simulator.logs.values import role_of, text_of, word_of
from holdfast.simulator.logs.writing import count_left_out, whole_file


def conversation_of(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    """Yield the conversation of one document, and its unusable parts.

    The assistant is the speaker whose name says so, else the second to speak.
    """
    listed = raw.get("turns") if isinstance(raw, Mapping) else None
    if not isinstance(listed, list):
        yield SkippedLine(place, "conversation", "no turns")
        return
    said: list[tuple[str, str]] = []
    for number, turn in enumerate(listed, start=1):
        text = text_of(turn.get("text")) if isinstance(turn, Mapping) else ""
        if text.strip():
            said.append((word_of(turn.get("speaker")), text))
        else:
            yield SkippedLine(f"{place}, turn {number}", "message", "empty message")
    roles = _roles(list(dict.fromkeys(speaker for speaker, _ in said)))
    if not said:
        yield SkippedLine(place, "conversation", "no turns")
    elif roles is None:
        yield SkippedLine(place, "conversation", "speakers are not two")
    else:
        model = raw.get("model")
        named = word_of(model.get("name", model.get("model")) if isinstance(model, Mapping) else model)
        yield Conversation(
            id=word_of(raw.get("id")) or place,
            place=place,
            messages=tuple(LogMessage(roles[speaker], text) for speaker, text in said),
            speaker=next((speaker for speaker, role in roles.items() if role == "user" and not role_of(speaker)), ""),
            columns={"model": named} if named else {},
        )


READER = DocumentReader(conversation_of)


def _roles(names: list[str]) -> dict[str, Role] | None:
    """Return the role of each name, None where unclear. sdialog sometimes calls the assistant "system"."""
    if not 1 <= len(names) <= 2:
        return None
    known: dict[str, Role] = {}
    for name in names:
        role = role_of(name)
        if role is not None:
            known[name] = "user" if role == "user" else "assistant"
    order: tuple[Role, Role] = ("user", "assistant")
    if len(names) == 2 and len(set(known.values())) == 1:
        only = next(iter(known.values()))
        if len(known) == 2:
            return None
        return {name: known.get(name, "user" if only == "assistant" else "assistant") for name in names}
    return known if len(known) == len(names) else dict(zip(names, order, strict=False))


@dataclass(frozen=True, slots=True)
class SdialogWriter:
    """Writes an array of dialogues, without labels."""

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        left: Counter[str] = Counter()
        with whole_file(path) as file:
            file.write("[")
            for number, conversation in enumerate(conversations):
                count_left_out(conversation, left, columns=("model",))
                left["system messages"] += sum(m.role == "system" for m in conversation.messages)
                dialog: dict[str, Any] = {
                    "id": conversation.id,
                    "complete": True,
                    "model": conversation.columns.get("model"),
                }
                names = {"user": conversation.speaker or "user", "assistant": "assistant"}
                said = [m for m in conversation.messages if m.role != "system"]
                dialog["turns"] = [{"speaker": names[m.role], "text": m.text} for m in said]
                file.write((",\n" if number else "\n") + json.dumps(dialog, ensure_ascii=False))
            file.write("\n]\n")
        return +left
