"""sdialog's ``Dialog`` as JSON: ``turns`` of ``speaker`` and ``text``; one file per dialogue, an array, or lines."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.agents.protocols import Role
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import describe_value, quote
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.document_reader import DocumentReader, keys_seen
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.values import id_of, role_of, word_of
from holdfast.simulator.logs.writing import count_left_out, whole_file


def recognises(file: Glimpse) -> bool:
    """Whether the values hold a list of turns by speakers."""
    return file.any(lambda value: isinstance(value.get("turns"), list) and any(map(_is_turn, value["turns"])))


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, Mapping) and "speaker" in turn


@dataclass(frozen=True, slots=True)
class SdialogReader:
    """Reads dialogues."""

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        reader = DocumentReader(lambda place, raw: conversation_of(place, raw, how.assistant))
        yield from reader.read(path, how)


def conversation_of(place: str, raw: Any, assistant: str = "") -> Iterator[Conversation | SkippedLine]:
    """Yield the conversation of one document, and its unusable parts.

    The assistant is the one named by ``assistant``, else the speaker whose name says so, else the second to speak.
    """
    listed = raw.get("turns") if isinstance(raw, Mapping) else None
    if not isinstance(listed, list):
        yield SkippedLine(place, "conversation", "no turns", keys_seen(raw))
        return
    draft = ConversationDraft(place)
    names = dict.fromkeys(id_of(turn.get("speaker")) if isinstance(turn, Mapping) else "" for turn in listed)
    roles = _roles(list(names), assistant)
    if listed and roles is None:
        said = ", ".join(quote(name) for name in list(names)[:5])
        yield SkippedLine(place, "conversation", "speakers are not two", said)
        return
    for number, turn in enumerate(listed, start=1):
        where = f"{place}, turn {number}"
        if isinstance(turn, Mapping):
            text = turn.get("text")
            draft.say((roles or {})[id_of(turn.get("speaker"))], {"content": text}, where)
        else:
            draft.lose(where, "not a turn", describe_value(turn))
    model = raw.get("model")
    named = word_of(model.get("name", model.get("model")) if isinstance(model, Mapping) else model)
    user = next((name for name, role in (roles or {}).items() if role == "user" and not role_of(name)), "")
    yield from draft.finish(id_of(raw.get("id")), speaker=user, columns={"model": named} if named else {})


READER = SdialogReader()


def _roles(names: list[str], assistant: str) -> dict[str, Role] | None:
    """Return the role of each name, None where unclear. sdialog sometimes calls the assistant "system"."""
    if not 1 <= len(names) <= 2:
        return None
    if assistant in names:
        return {name: "assistant" if name == assistant else "user" for name in names}
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
