"""iEval (Svikhnushina, Filippova & Pu, SIGDIAL 2022): a CSV row per chat, messages as JSON, rated 1-5 by the user."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.errors import InputError
from holdfast.simulator.logs.files import csv_rows
from holdfast.simulator.logs.formats.messages import messages_of
from holdfast.simulator.logs.records import Conversation, SkippedLine
from holdfast.simulator.logs.values import label_of
from holdfast.simulator.logs.writing import count_left_out, whole_file

NEEDED = ("messages", "bot")
_AFTER = ("EU", "ER", "empathy", "politeness", "attention", "likability", "repetitive", "makes_sense")
_RANK = "overall_rank_score"
_COLUMNS = ("valence", "emotion", "bot")
HEADER = ("conversation_id", "part", *_COLUMNS, "n_messages", *_AFTER, _RANK, "messages")


@dataclass(frozen=True, slots=True)
class IevalReader:
    """Reads iEval's CSV."""

    def read(self, path: Path) -> Iterator[Conversation | SkippedLine]:
        with csv_rows(path) as (header, rows):
            absent = [column for column in NEEDED if column not in header]
            if absent:
                raise InputError(f"{path}:1: columns absent: {', '.join(absent)}; iEval's are {', '.join(HEADER)}")
            for row in rows:
                if isinstance(row, SkippedLine):
                    yield row
                else:
                    yield from _conversation(*row)


def _conversation(place: str, row: Mapping[str, str]) -> Iterator[Conversation | SkippedLine]:
    try:
        listed = json.loads(row["messages"])
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        yield SkippedLine(place, "conversation", "messages are not a JSON list")
        return
    skips: list[SkippedLine] = []
    messages = messages_of(listed, place, skips)
    faults: list[tuple[str, str]] = []
    labels = {name: label_of(name, row.get(name), faults) for name in (*_AFTER, _RANK)}
    yield from skips
    yield from (SkippedLine(place, "label", reason, name) for reason, name in faults)
    if not messages:
        yield SkippedLine(place, "conversation", "no messages")
        return
    yield Conversation(
        id=row.get("conversation_id") or place,
        place=place,
        messages=messages,
        speaker=row.get("part", ""),
        columns={name: row[name] for name in _COLUMNS if row.get(name)},
        labels={name: value for name, value in labels.items() if value is not None},
    )


@dataclass(frozen=True, slots=True)
class IevalWriter:
    """Writes iEval's CSV. Missing labels stay empty."""

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        left: Counter[str] = Counter()
        with whole_file(path) as file:
            rows = csv.writer(file)
            rows.writerow(HEADER)
            for conversation in conversations:
                count_left_out(conversation, left, after=(*_AFTER, _RANK), columns=_COLUMNS)
                said = [{"role": m.role, "content": m.text} for m in conversation.messages]
                marks = ["" if (v := conversation.labels.get(name)) is None else f"{v:g}" for name in (*_AFTER, _RANK)]
                about = [conversation.columns.get(name, "") for name in _COLUMNS]
                listed = json.dumps(said, ensure_ascii=False)
                rows.writerow([conversation.id, conversation.speaker, *about, len(said), *marks, listed])
        return left
