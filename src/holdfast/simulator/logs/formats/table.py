"""Rows with named columns, in CSV, JSON lines or Parquet: one per message (``role``, ``text``), or per turn (``user``,
``reply``).

``--columns`` maps our names to the file's: ``conversation=chat_id,role=who,text=message``. Others are ``speaker`` (the
user), ``order`` (turns or times, which rise), ``label.NAME`` (a number about this message or reply) and ``after.NAME``
(about the whole conversation). Names that are not given are matched with usual ones; all other columns may be grouped
by. With ``--assistant NAME`` the role may be a name: that one is the assistant, the others are users.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holdfast.agents.protocols import Role
from holdfast.core.errors import InputError
from holdfast.core.reading.skips import BrokenRow, SkippedLine
from holdfast.core.reading.tables import Row, Table, table_of
from holdfast.core.wording import describe_value, did_you_mean, quote
from holdfast.simulator.logs.drafts import NOT_A_ROLE, TOOL, ConversationDraft
from holdfast.simulator.logs.gathering import ORDERS, Grouping, gather
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.shapes import BESIDE_PERSONA, CONTENTS, PERSONA, ROW_IDS, looks_like_message, unwrapped
from holdfast.simulator.logs.values import columns_of, id_of, is_silent, label_of, role_of
from holdfast.simulator.logs.writing import count_left_out, number_text, whole_file

USUAL = {
    "conversation": ROW_IDS,
    "role": ("role", "Role", "from", "sender", "author"),
    "text": ("text", "content", "message", "utterance", "Content", "value", "body"),
    "user": ("user", "user_message", "prompt", "question"),
    "reply": ("reply", "assistant", "response", "answer"),
    "speaker": ("speaker", "user_id", "participant", "PID"),
    "order": ORDERS,
}
_OPEN = ("label.", "after.")
HEADER = ("conversation", "role", "text", "speaker")


def recognises(file: Glimpse) -> bool:
    """Whether the columns say what a conversation, a role and a text are."""
    try:
        rows = [_flat(value) for value in file.values if isinstance(value, Mapping)]
        names_in([*file.columns, *(key for row in rows for key in row)], {})
    except InputError:
        return False
    return True


def _flat(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with the message that it may wrap, also as JSON text, spread out."""
    message = row.get("message")
    if isinstance(message, str) and message[:1] == "{" and "role" not in row:
        try:
            row = {**row, "message": json.loads(message)}
        except (ValueError, RecursionError):
            return row
    if looks_like_message(row) and (inner := unwrapped(row)) is not row:
        return {**{key: value for key, value in row.items() if key not in ("message", "data", "kwargs")}, **inner}
    return row


@dataclass(frozen=True, slots=True)
class TableReader:
    """Reads rows. ``how.columns``: the ``--columns`` option, our name -> theirs."""

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        table = table_of(path)
        rows = table.rows if table.delimited else _Flattened(table).rows
        columns: Sequence[str] = table.columns
        if not table.delimited:
            first = [row[1] for row in _some(rows()) if not isinstance(row, BrokenRow)]
            columns = list(dict.fromkeys(key for row in first for key in row))
        try:
            names = names_in(columns, how.columns)
        except InputError as error:
            raise InputError(f"{path}:1: {error}") from None
        conversation = _RowReader(names, how.assistant)
        for run in gather(rows, conversation.grouping()):
            yield from [run] if isinstance(run, SkippedLine) else conversation.of(run[0][0], run[1])


def _some(rows: Iterator[Row | BrokenRow]) -> Iterator[Row | BrokenRow]:
    yield from (row for row, _ in zip(rows, range(20), strict=False))


@dataclass(frozen=True, slots=True)
class _Flattened:
    table: Table

    def rows(self) -> Iterator[Row | BrokenRow]:
        for row in self.table.rows():
            yield row if isinstance(row, BrokenRow) else (row[0], _flat(row[1]))


def names_in(columns: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return our name -> the file's column.

    Raises:
        InputError: a needed column is unknown.
    """
    listed = ", ".join(quote(column)[1:-1] for column in columns[:20])
    for ours, theirs in given.items():
        if theirs not in columns:
            hint = did_you_mean(theirs, columns)
            raise InputError(f"no column {quote(theirs)} for {ours}{hint} (columns: {listed})")
    usual = {ours: next((column for column in many if column in columns), "") for ours, many in USUAL.items()}
    if PERSONA in columns and BESIDE_PERSONA.issubset(columns):
        usual["speaker"] = usual["speaker"] or PERSONA
    labels = {column: column for column in columns if column.startswith(_OPEN)}
    names = {ours: theirs for ours, theirs in {**labels, **usual, **given}.items() if theirs}
    by_message, by_turn = {"role", "text"} <= names.keys(), {"user", "reply"} <= names.keys()
    if "conversation" not in names or not (by_message or by_turn):
        raise InputError(
            f"cannot tell conversation, role and text (or user and reply) from the columns {listed or '(none)'}; "
            "name them: --columns conversation=ID,role=WHO,text=MESSAGE"
        )
    return names


def columns_option(text: str) -> dict[str, str]:
    """Parse ``our=theirs,...`` into a mapping.

    Raises:
        InputError: a name is unknown.
    """
    names: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not equals or not theirs:
            raise InputError(f"--columns: expected NAME=COLUMN, got {quote(part)}")
        if ours not in USUAL and not (ours.startswith(_OPEN) and len(ours) > len(_OPEN[0])):
            allowed = (*USUAL, "label.NAME", "after.NAME")
            raise InputError(
                f"--columns: unknown name {quote(ours)}{did_you_mean(ours, USUAL)} (allowed: {', '.join(allowed)})"
            )
        names[ours] = theirs
    return names


@dataclass(frozen=True, slots=True)
class _RowReader:
    """Makes a conversation of its rows. ``names``: our name -> the file's column."""

    names: Mapping[str, str]
    assistant: str

    @property
    def by_message(self) -> bool:
        """Whether a row is a message; else it is a turn."""
        return "role" in self.names and "text" in self.names

    def grouping(self) -> Grouping:
        """Return how the rows make conversations."""
        how = Grouping((self.names["conversation"],), order=self.names.get("order", ""))
        if not self.by_message:
            return replace(how, strict=how.order.startswith("turn"))
        return replace(
            how,
            opens=lambda row: self._role(row) != "assistant",
            closes=lambda row: self._role(row) == "assistant",
        )

    def _role(self, row: Mapping[str, Any]) -> Role | None:
        word = row.get(self.names["role"])
        if self.assistant:
            return "assistant" if word == self.assistant else role_of(word) or "user"
        return role_of(word)

    def of(self, id: str, rows: Sequence[Row]) -> Iterator[Conversation | SkippedLine]:
        """Yield the conversation, and what of it cannot be used."""
        draft = ConversationDraft(rows[0][0])
        for place, row in rows:
            self._add(draft, place, row)
        first = rows[0][1]
        faults: list[tuple[str, str]] = []
        after = self._labels(rows[-1][1], "after.", faults)
        draft.fault(rows[-1][0], faults)
        columns = columns_of(first, frozenset(self.names.values()))
        yield from draft.finish(id, speaker=self._speaker(rows), columns=columns, labels=after)

    def _speaker(self, rows: Sequence[Row]) -> str:
        """Return who the user is: as the user's own rows say, where rows are messages."""
        column = self.names.get("speaker")
        if column is None:
            return ""
        users = [row for _, row in rows if not self.by_message or self._role(row) == "user"]
        return id_of((users or [rows[0][1]])[0].get(column))

    def _add(self, draft: ConversationDraft, place: str, row: Mapping[str, Any]) -> None:
        faults: list[tuple[str, str]] = []
        labels = self._labels(row, "label.", faults)
        draft.fault(place, faults)
        if not self.by_message:
            draft.say("user", _content(row, self.names["user"]), place)
            draft.say("assistant", _content(row, self.names["reply"]), place, labels=labels)
            return
        role, word = self._role(row), row.get(self.names["role"])
        if role is not None:
            draft.say(role, _content(row, self.names["text"]), place, labels=labels)
        elif is_silent(word):
            draft.skips.append(SkippedLine(place, "message", TOOL))
        else:
            draft.lose(place, NOT_A_ROLE, describe_value(word))

    def _labels(self, row: Mapping[str, Any], prefix: str, faults: list[tuple[str, str]]) -> dict[str, float]:
        labels = {
            ours.removeprefix(prefix): label_of(ours.removeprefix(prefix), row.get(theirs), faults)
            for ours, theirs in self.names.items()
            if ours.startswith(prefix)
        }
        return {name: value for name, value in labels.items() if value is not None}


def _content(row: Mapping[str, Any], column: str) -> Mapping[str, Any]:
    """Return a message of the content of one column, and what stands beside it."""
    return {**{key: value for key, value in row.items() if key not in CONTENTS}, "content": row.get(column)}


@dataclass(frozen=True, slots=True)
class TableWriter:
    """Writes a row per message, with the labels and columns of the first conversation as columns."""

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        left: Counter[str] = Counter()
        labels: list[str] = []
        after: list[str] = []
        columns: list[str] = []
        with whole_file(path) as file:
            rows = csv.writer(file)
            for number, conversation in enumerate(conversations):
                if number == 0:
                    labels = sorted({name for m in conversation.messages for name in m.labels})
                    after = sorted(conversation.labels)
                    columns = [c for c in sorted(conversation.columns) if c not in HEADER]
                    rows.writerow([*HEADER, *(f"label.{x}" for x in labels), *(f"after.{x}" for x in after), *columns])
                count_left_out(conversation, left, labels=labels, after=after, columns=columns)
                whole = [number_text(conversation.labels.get(x)) for x in after]
                whole += [conversation.columns.get(x, "") for x in columns]
                for m in conversation.messages:
                    marks = [number_text(m.labels.get(x)) for x in labels]
                    rows.writerow([conversation.id, m.role, m.text, conversation.speaker, *marks, *whole])
        return left
