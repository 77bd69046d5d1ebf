"""iEval (Svikhnushina, Filippova & Pu, SIGDIAL 2022): a CSV row per chat, messages as JSON, rated 1-5 by the user."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.errors import InputError
from holdfast.core.reading.delimited import csv_rows
from holdfast.core.reading.skips import BrokenRow, SkippedLine
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.values import id_of, label_of
from holdfast.simulator.logs.writing import count_left_out, number_text, whole_file

NEEDED = ("messages", "bot")
_AFTER = ("EU", "ER", "empathy", "politeness", "attention", "likability", "repetitive", "makes_sense")
_RANK = "overall_rank_score"
_COLUMNS = ("valence", "emotion", "bot")
HEADER = ("conversation_id", "part", *_COLUMNS, "n_messages", *_AFTER, _RANK, "messages")


def recognises(file: Glimpse) -> bool:
    """Whether the table's columns are iEval's."""
    return set(NEEDED) <= set(file.columns)


@dataclass(frozen=True, slots=True)
class IevalReader:
    """Reads iEval's CSV."""

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        with csv_rows(path) as (header, rows):
            absent = [column for column in NEEDED if column not in header]
            if absent:
                raise InputError(f"{path}:1: columns absent: {', '.join(absent)}; iEval's are {', '.join(HEADER)}")
            for row in rows:
                if isinstance(row, BrokenRow):
                    yield row.skip
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
    draft = ConversationDraft(place)
    draft.read(listed)
    faults: list[tuple[str, str]] = []
    labels = {name: label_of(name, row.get(name), faults) for name in (*_AFTER, _RANK)}
    draft.fault(place, faults)
    yield from draft.finish(
        id_of(row.get("conversation_id")),
        speaker=id_of(row.get("part")),
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
                marks = [number_text(conversation.labels.get(name)) for name in (*_AFTER, _RANK)]
                about = [conversation.columns.get(name, "") for name in _COLUMNS]
                listed = json.dumps(said, ensure_ascii=False)
                rows.writerow([conversation.id, conversation.speaker, *about, len(said), *marks, listed])
        return left
