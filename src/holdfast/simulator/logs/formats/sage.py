"""SAGE, Sentient Agent as a Judge (Tencent, 2025): the emotion 0-100 of a simulated person, turn by turn.

Dialogues as JSON lines (``history``, ``emo_point``), or a CSV with a row per turn and no text. Both give the emotion
with the user's message, as it is after the previous reply; turn 0 is before any reply. A dialogue stops at 100
(success), below 10 (failure), or after ten user messages, that is nine replies. The emotion is a model's, not a human
rating.
"""

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.core.errors import InputError
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.reading.tables import Row, table_of
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.document_reader import DocumentReader, keys_seen
from holdfast.simulator.logs.gathering import Grouping, gather
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.records import Conversation, End, LogMessage
from holdfast.simulator.logs.shapes import first_id
from holdfast.simulator.logs.values import columns_of, label_of, number_of
from holdfast.simulator.logs.writing import count_left_out, whole_file

PLANNED = 9  # replies
WON, LOST = 100.0, 10.0
KEY = ("simulator", "model", "profile_id")
COLUMNS = ("topic", "character", "target")
HEADER = (*KEY, *COLUMNS, "turn", "emotion_point", "change", "user_chars", "prev_reply_chars", "final_state")
_NEEDED = (*KEY, "turn", "emotion_point")


def end_of(emotion: float) -> End:
    """Return how a dialogue with this last emotion ended."""
    return "success" if emotion >= WON else "failure" if emotion < LOST else ""


def recognises(file: Glimpse) -> bool:
    """Whether the values are SAGE's dialogues, or the table's columns its turns."""
    if {"simulator", "model", "emotion_point"} <= set(file.columns):
        return True
    return file.has("history", "emo_point") or file.has("history", "emo_state")


@dataclass(frozen=True, slots=True)
class SageReader:
    """Reads JSON lines or the CSV."""

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        table = table_of(path)
        if not table.delimited:
            yield from DocumentReader(_dialogue).read(path)
            return
        absent = [column for column in _NEEDED if column not in table.columns]
        if absent:
            raise InputError(f"{path}:1: columns absent: {', '.join(absent)}; SAGE's are {', '.join(HEADER)}")
        grouping = Grouping(KEY, order="turn", strict=True, opens=lambda row: number_of(row.get("turn")) == 0)
        for run in gather(table.rows, grouping):
            yield from [run] if isinstance(run, SkippedLine) else _from_rows(*run)


def _dialogue(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    listed = raw.get("history") if isinstance(raw, Mapping) else None
    if not isinstance(listed, list):
        yield SkippedLine(place, "conversation", "no history", keys_seen(raw))
        return
    draft = ConversationDraft(place)
    draft.read([_with_emotion(message) for message in listed])
    given = [m.labels["emotion"] for m in draft.messages if "emotion" in m.labels]
    last = number_of(raw.get("emo_point")) if not given else given[-1]
    state = {"Emotion-S": "success", "Emotion-F": "failure"}.get(str(raw.get("emo_state")), "")
    end: End = end_of(last) if last is not None else state  # type: ignore[assignment]
    about = ("simulator", "model", *COLUMNS)
    columns = columns_of({name: raw.get(name) for name in about})
    speaker = first_id(raw, ("profile_id", "id"))
    own = first_id(raw, ("id", "profile_id"))
    yield from draft.finish(own, speaker=speaker, columns=columns, planned=PLANNED, end=end)


def _with_emotion(raw: Any) -> Any:
    if isinstance(raw, Mapping) and "emotion-point" in raw:
        return {**raw, "labels": {"emotion": raw["emotion-point"]}}
    return raw


def _from_rows(key: tuple[str, ...], rows: list[Row]) -> Iterator[Conversation | SkippedLine]:
    place, first = rows[0]
    draft = ConversationDraft(place)
    last = None
    for number, (where, row) in enumerate(rows):
        turn = number_of(row.get("turn"))
        faults: list[tuple[str, str]] = []
        emotion = label_of("emotion", row.get("emotion_point"), faults)
        if turn != number:
            draft.lose(where, "turns are not 0, 1, 2 and so on", f"turn {row.get('turn')!r} where {number} is next")
        else:
            draft.fault(where, faults)
            if number > 0:
                draft.say("assistant", "", where, chars=_chars(row.get("prev_reply_chars")))
            labels = {} if emotion is None else {"emotion": emotion}
            draft.say("user", "", where, labels=labels, chars=_chars(row.get("user_chars")))
            last = emotion if emotion is not None else last
    about = {"simulator": key[0], "model": key[1], **{name: first.get(name, "") for name in COLUMNS}}
    end = end_of(last) if last is not None else ""
    yield from draft.finish("/".join(key), speaker=key[2], columns=columns_of(about), planned=PLANNED, end=end)


def _chars(value: object) -> float:
    chars = number_of(value)
    return chars if chars is not None and 0 <= chars <= 10**9 else float("nan")


@dataclass(frozen=True, slots=True)
class SageWriter:
    """Writes dialogues as JSON lines, or to a .csv file turns without text."""

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        left: Counter[str] = Counter()
        with whole_file(path) as file:
            rows = csv.writer(file) if path.suffix.lower() == ".csv" else None
            if rows:
                rows.writerow(HEADER)
            for conversation in conversations:
                count_left_out(conversation, left, labels=("emotion",), columns=("simulator", "model", *COLUMNS))
                if rows:
                    left["message texts"] += sum(bool(m.text) for m in conversation.messages)
                    rows.writerows(_turn_rows(conversation, left))
                else:
                    file.write(json.dumps(_document(conversation), ensure_ascii=False) + "\n")
        return +left


def _document(conversation: Conversation) -> dict[str, Any]:
    about = {
        name: conversation.columns[name] for name in ("simulator", "model", *COLUMNS) if name in conversation.columns
    }
    history = []
    for m in conversation.messages:
        point = {"emotion-point": m.labels["emotion"]} if "emotion" in m.labels else {}
        history.append({"role": m.role, "content": m.text, **point})
    points = [line["emotion-point"] for line in history if "emotion-point" in line]
    state = {"success": "Emotion-S", "failure": "Emotion-F"}.get(conversation.end, "")
    last = {"emo_point": points[-1]} if points else {}
    person = {"profile_id": conversation.speaker} if conversation.speaker else {}
    return {"id": conversation.id, **person, **last, "emo_state": state, **about, "history": history}


def _turn_rows(conversation: Conversation, left: Counter[str]) -> Iterator[list[Any]]:
    state = {"success": "Emotion-S", "failure": "Emotion-F"}.get(conversation.end, "")
    key = [
        conversation.columns.get("simulator", ""),
        conversation.columns.get("model", ""),
        conversation.speaker or conversation.id,
    ]
    about = [conversation.columns.get(name, "") for name in COLUMNS]
    before, reply = None, ""
    for turn, (user, replies) in enumerate(_exchanges(conversation.messages, left)):
        points = [m.labels["emotion"] for m in user if "emotion" in m.labels]
        point = points[-1] if points else None
        change = "" if before is None or point is None else repr(point - before)
        yield [*key, *about, turn, "" if point is None else repr(point), change, _size(user), reply, state]
        before, reply = point if point is not None else before, _size(replies)
        left["emotions with a reply, not a user's message"] += sum("emotion" in m.labels for m in replies)
    left["replies after the user's last message"] += bool(reply)


def _exchanges(messages: Iterable[LogMessage], left: Counter[str]) -> list[tuple[list[LogMessage], list[LogMessage]]]:
    """Return what the user says and the replies to it, in turn; an opening by the assistant is left out."""
    exchanges: list[tuple[list[LogMessage], list[LogMessage]]] = []
    for message in messages:
        if message.role == "user":
            if not exchanges or exchanges[-1][1]:
                exchanges.append(([], []))
            exchanges[-1][0].append(message)
        elif message.role == "assistant" and exchanges:
            exchanges[-1][1].append(message)
        else:
            left["messages before the user's first, and of the system"] += 1
    return exchanges


def _size(messages: Iterable[LogMessage]) -> str:
    length = sum(message.length for message in messages)
    return "" if math.isnan(length) else str(int(length))
