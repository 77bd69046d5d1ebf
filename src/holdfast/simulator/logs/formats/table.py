"""A plain CSV with named columns: a row a message (``role``, ``text``), or a row a turn (``user``, ``reply``).

``--columns`` says which column is what: ``conversation=chat_id,role=who,text=message``. Besides: ``speaker`` (who the
user is), ``label.NAME`` (a number about this message or reply) and ``after.NAME`` (about the whole conversation). What
is not named is looked for under usual names, and any other column may be grouped by.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean, quote
from holdfast.simulator.logs.files import csv_rows
from holdfast.simulator.logs.gathering import Row, gather
from holdfast.simulator.logs.records import Conversation, LogMessage, SkippedLine
from holdfast.simulator.logs.values import columns_of, label_of, role_of
from holdfast.simulator.logs.writing import count_left_out, whole_file

USUAL = {
    "conversation": ("conversation", "conversation_id", "chat_id", "session_id", "dialogue_id", "dialog_id", "TaskId"),
    "role": ("role", "Role", "from"),
    "text": ("text", "content", "message", "utterance", "Content"),
    "user": ("user", "user_message", "prompt", "question"),
    "reply": ("reply", "assistant", "response", "answer"),
    "speaker": ("speaker", "user_id", "participant", "PID"),
}
_OPEN = ("label.", "after.")
HEADER = ("conversation", "role", "text", "speaker")


@dataclass(frozen=True, slots=True)
class TableReader:
    """Reads it. ``names``: what ``--columns`` said, our name -> theirs."""

    names: Mapping[str, str] = field(default_factory=dict)

    def read(self, path: Path) -> Iterator[Conversation | SkippedLine]:
        with csv_rows(path) as (header, rows):
            names = self.names_in(header, path)
            for run in gather(rows, (names["conversation"],)):
                yield from [run] if isinstance(run, SkippedLine) else _conversation(run[0][0], run[1], names)

    def names_in(self, header: list[str], path: Path) -> dict[str, str]:
        """Our name -> the file's column. Raises InputError where the needed ones cannot be told."""
        for ours, theirs in self.names.items():
            if theirs not in header:
                listed = ", ".join(quote(one)[1:-1] for one in header[:20])
                hint = did_you_mean(theirs, header)
                raise InputError(f"{path}:1: no column {quote(theirs)} for {ours}{hint} (columns: {listed})")
        usual = {ours: next((one for one in many if one in header), "") for ours, many in USUAL.items()}
        labels = {one: one for one in header if one.startswith(_OPEN)}
        names = {ours: theirs for ours, theirs in {**labels, **usual, **self.names}.items() if theirs}
        by_message, by_turn = {"role", "text"} <= names.keys(), {"user", "reply"} <= names.keys()
        if "conversation" not in names or not (by_message or by_turn):
            raise InputError(
                f"{path}:1: cannot tell conversation, role and text (or user and reply) from the columns "
                f"{', '.join(quote(one)[1:-1] for one in header[:20]) or '(none)'}; "
                "name them: --columns conversation=ID,role=WHO,text=MESSAGE"
            )
        return names


def columns_option(text: str) -> dict[str, str]:
    """``our=theirs,...`` as a mapping. Raises InputError for a name that there is not."""
    names: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        ours, equals, theirs = (one.strip() for one in part.partition("="))
        if not equals or not theirs:
            raise InputError(f"--columns: expected NAME=COLUMN, got {quote(part)}")
        if ours not in USUAL and not (ours.startswith(_OPEN) and len(ours) > len(_OPEN[0])):
            allowed = (*USUAL, "label.NAME", "after.NAME")
            raise InputError(
                f"--columns: unknown name {quote(ours)}{did_you_mean(ours, USUAL)} (allowed: {', '.join(allowed)})"
            )
        names[ours] = theirs
    return names


def _conversation(id: str, rows: list[Row], names: Mapping[str, str]) -> Iterator[Conversation | SkippedLine]:
    messages: list[LogMessage] = []
    skips: list[SkippedLine] = []
    for place, row in rows:
        messages.extend(_messages(place, row, names, skips))
    place, first = rows[0]
    last = rows[-1][1]
    faults: list[tuple[str, str]] = []
    after = _labels(last, names, "after.", faults)
    yield from skips
    yield from (SkippedLine(rows[-1][0], "label", reason, name) for reason, name in faults)
    if not messages:
        yield SkippedLine(place, "conversation", "no messages")
        return
    speaker = first.get(names.get("speaker", ""), "").strip()
    columns = columns_of(first, frozenset(names.values()))
    yield Conversation(id, place, tuple(messages), speaker, columns, after)


def _messages(place: str, row: Mapping[str, str], names: Mapping[str, str], skips: list[SkippedLine]) -> list[LogMessage]:
    faults: list[tuple[str, str]] = []
    labels = _labels(row, names, "label.", faults)
    skips.extend(SkippedLine(place, "label", reason, name) for reason, name in faults)
    if "role" in names and "text" in names:
        role = role_of(row[names["role"]])
        if role is None:
            skips.append(SkippedLine(place, "message", "role is not user, assistant or system"))
            return []
        said = [LogMessage(role, row[names["text"]], labels)]
    else:
        said = [LogMessage("user", row[names["user"]]), LogMessage("assistant", row[names["reply"]], labels)]
    kept = [m for m in said if m.text.strip() or m.role == "assistant"]  # an empty reply is a turn, unrated
    skips.extend(SkippedLine(place, "message", "empty message") for _ in said[len(kept) :])
    return kept


def _labels(
    row: Mapping[str, str], names: Mapping[str, str], prefix: str, faults: list[tuple[str, str]]
) -> dict[str, float]:
    found = {
        ours.removeprefix(prefix): label_of(ours.removeprefix(prefix), row.get(theirs), faults)
        for ours, theirs in names.items()
        if ours.startswith(prefix)
    }
    return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class TableWriter:
    """Writes a row a message, with the labels and columns of the first conversation as columns."""

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        left: Counter[str] = Counter()
        rows: object = None
        labels: list[str] = []
        after: list[str] = []
        columns: list[str] = []
        with whole_file(path) as file:
            rows = csv.writer(file)
            for number, one in enumerate(conversations):
                if number == 0:
                    labels = sorted({name for m in one.messages for name in m.labels})
                    after, columns = sorted(one.labels), [c for c in sorted(one.columns) if c not in HEADER]
                    rows.writerow([*HEADER, *(f"label.{x}" for x in labels), *(f"after.{x}" for x in after), *columns])
                count_left_out(one, left, labels=labels, after=after, columns=columns)
                whole = [*(f"{one.labels[x]:g}" if x in one.labels else "" for x in after)]
                whole += [one.columns.get(x, "") for x in columns]
                for m in one.messages:
                    marks = [f"{m.labels[x]:g}" if x in m.labels else "" for x in labels]
                    rows.writerow([one.id, m.role, m.text, one.speaker, *marks, *whole])
        return left
