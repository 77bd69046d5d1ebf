"""SAGE, Sentient Agent as a Judge (Tencent, 2025): the emotion 0-100 of a simulated person, turn by turn.

Dialogues as JSON lines (``history``, ``emo_point``), or a CSV with a row per turn and no text. Both give the emotion
with the user's message, as it is after the previous reply; turn 0 is before any reply. A dialogue stops at 100
(success), below 10 (failure), or after ten user messages, that is nine replies. The emotion is a model's, not a human
rating.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.core.errors import InputError
from holdfast.simulator.logs.documents import DocumentReader
from holdfast.simulator.logs.files import csv_rows, head_of
from holdfast.simulator.logs.formats.messages import first_word, messages_of
from holdfast.simulator.logs.gathering import Row, gather
from holdfast.simulator.logs.records import Conversation, End, LogMessage, SkippedLine
from holdfast.simulator.logs.values import columns_of, label_of, number_of, word_of
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


@dataclass(frozen=True, slots=True)
class SageReader:
    """Reads JSON lines or the CSV."""

    def read(self, path: Path) -> Iterator[Conversation | SkippedLine]:
        if head_of(path, 64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
            yield from DocumentReader(_dialogue).read(path)
            return
        with csv_rows(path) as (header, rows):
            absent = [column for column in _NEEDED if column not in header]
            if absent:
                raise InputError(f"{path}:1: columns absent: {', '.join(absent)}; SAGE's are {', '.join(HEADER)}")
            for run in gather(rows, KEY):
                yield from [run] if isinstance(run, SkippedLine) else _from_rows(*run)


def _dialogue(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    listed = raw.get("history") if isinstance(raw, Mapping) else None
    if not isinstance(listed, list):
        yield SkippedLine(place, "conversation", "no history")
        return
    skips: list[SkippedLine] = []
    labelled = [_with_emotion(message) for message in listed]
    messages = messages_of(labelled, place, skips)
    yield from skips
    if not messages:
        yield SkippedLine(place, "conversation", "no messages")
        return
    given = [m.labels["emotion"] for m in messages if "emotion" in m.labels]
    last = number_of(raw.get("emo_point")) if not given else given[-1]
    state = {"Emotion-S": "success", "Emotion-F": "failure"}.get(str(raw.get("emo_state")), "")
    end: End = end_of(last) if last is not None else state  # type: ignore[assignment]
    about = ("simulator", "model", *COLUMNS)
    columns = columns_of({name: raw.get(name) for name in about})
    speaker = first_word(raw, ("profile_id", "id"))
    yield Conversation(speaker or place, place, messages, speaker, columns, {}, PLANNED, end)


def _with_emotion(raw: Any) -> Any:
    if isinstance(raw, Mapping) and "emotion-point" in raw:
        return {**raw, "labels": {"emotion": raw["emotion-point"]}}
    return raw


@dataclass
class _PartialDialogue:
    """What is known of a dialogue from its rows so far."""

    messages: list[LogMessage] = field(default_factory=list)
    last_turn: int = -1
    last: float | None = None


def _from_rows(key: tuple[str, ...], rows: list[Row]) -> Iterator[Conversation | SkippedLine]:
    dialogue = _PartialDialogue()
    for place, row in rows:
        yield from _row(place, row, dialogue)
    place, first = rows[0]
    if dialogue.last is None:
        yield SkippedLine(place, "conversation", "no turn with an emotion")
        return
    about = {"simulator": key[0], "model": key[1], **{name: first.get(name, "") for name in COLUMNS}}
    columns = columns_of({name: word_of(value) for name, value in about.items()})
    name = "/".join(key)
    yield Conversation(name, place, tuple(dialogue.messages), key[2], columns, {}, PLANNED, end_of(dialogue.last))


def _row(place: str, row: Mapping[str, str], dialogue: _PartialDialogue) -> Iterator[SkippedLine]:
    turn = number_of(row.get("turn"))
    faults: list[tuple[str, str]] = []
    emotion = label_of("emotion", row.get("emotion_point"), faults)
    if turn is None or turn != int(turn) or not 0 <= turn < 100_000:
        yield SkippedLine(place, "line", "turn is not a whole number from 0")
    elif turn <= dialogue.last_turn:
        yield SkippedLine(place, "line", "turns do not rise")
    elif emotion is None:
        yield SkippedLine(place, "line", *(faults[0] if faults else ("emotion is missing", "")))
    else:
        dialogue.last_turn, dialogue.last = int(turn), emotion
        if turn > 0:
            dialogue.messages.append(LogMessage("assistant", "", chars=_chars(row.get("prev_reply_chars"))))
        dialogue.messages.append(LogMessage("user", "", {"emotion": emotion}, chars=_chars(row.get("user_chars"))))


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
    return {"id": conversation.speaker or conversation.id, **last, "emo_state": state, **about, "history": history}


def _turn_rows(conversation: Conversation, left: Counter[str]) -> Iterator[list[Any]]:
    state = {"success": "Emotion-S", "failure": "Emotion-F"}.get(conversation.end, "")
    key = [
        conversation.columns.get("simulator", ""),
        conversation.columns.get("model", ""),
        conversation.speaker or conversation.id,
    ]
    about = [conversation.columns.get(name, "") for name in COLUMNS]
    turn, reply, before = 0, "", None
    for message in conversation.messages:
        size = "" if message.length != message.length else f"{message.length:g}"
        if message.role == "assistant":
            reply = size
        elif message.role == "user":
            point = message.labels.get("emotion")
            if point is None:
                left["turns without an emotion"] += 1
            else:
                change = "" if before is None else f"{point - before:g}"
                yield [*key, *about, turn, f"{point:g}", change, size, reply, state]
                before = point
            turn, reply = turn + 1, ""
    left["replies after the user's last message"] += bool(reply)
