"""A plain CSV with named columns: a row per message (``role``, ``text``), or a row per turn (``user``, ``reply``).

``--columns`` maps our names to the file's: ``conversation=chat_id,role=who,text=message``. Others are ``speaker`` (the
user), ``label.NAME`` (a number about this message or reply) and ``after.NAME`` (about the whole conversation). Names
that are not given are matched with usual ones; all other columns may be grouped by.
"""

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
    """Reads a plain CSV. ``names``: the ``--columns`` option, our name -> theirs."""

    names: Mapping[str, str] = field(default_factory=dict)

    def read(self, path: Path) -> Iterator[Conversation | SkippedLine]:
        with csv_rows(path) as (header, rows):
            names = self.names_in(header, path)
            for run in gather(rows, (names["conversation"],)):
                yield from [run] if isinstance(run, SkippedLine) else _conversation(run[0][0], run[1], names)

    def names_in(self, header: list[str], path: Path) -> dict[str, str]:
        """Return our name -> the file's column.

        Raises:
            InputError: a needed column is unknown.
        """
        for ours, theirs in self.names.items():
            if theirs not in header:
                listed = ", ".join(quote(column)[1:-1] for column in header[:20])
                hint = did_you_mean(theirs, header)
                raise InputError(f"{path}:1: no column {quote(theirs)} for {ours}{hint} (columns: {listed})")
        usual = {ours: next((column for column in many if column in header), "") for ours, many in USUAL.items()}
        labels = {column: column for column in header if column.startswith(_OPEN)}
        names = {ours: theirs for ours, theirs in {**labels, **usual, **self.names}.items() if theirs}
        by_message, by_turn = {"role", "text"} <= names.keys(), {"user", "reply"} <= names.keys()
        if "conversation" not in names or not (by_message or by_turn):
            raise InputError(
                f"{path}:1: cannot tell conversation, role and text (or user and reply) from the columns "
                f"{', '.join(quote(column)[1:-1] for column in header[:20]) or '(none)'}; "
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


def _messages(
    place: str, row: Mapping[str, str], names: Mapping[str, str], skips: list[SkippedLine]
) -> list[LogMessage]:
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
    labels = {
        ours.removeprefix(prefix): label_of(ours.removeprefix(prefix), row.get(theirs), faults)
        for ours, theirs in names.items()
        if ours.startswith(prefix)
    }
    return {name: value for name, value in labels.items() if value is not None}


@dataclass(frozen=True, slots=True)
class TableWriter:
    """Writes a row per message, with the labels and columns of the first conversation as columns."""

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        left: Counter[str] = Counter()
        rows: object = None
        labels: list[str] = []
        after: list[str] = []
        columns: list[str] = []
        with whole_file(path) as file:
            rows = csv.writer(file)
            for number, conversation in enumerate(conversations):
                if number == 0:
                    labels = sorted({name for m in conversation.messages for name in m.labels})
                    after, columns = (
                        sorted(conversation.labels),
                        [c for c in sorted(conversation.columns) if c not in HEADER],
                    )
                    rows.writerow([*HEADER, *(f"label.{x}" for x in labels), *(f"after.{x}" for x in after), *columns])
                count_left_out(conversation, left, labels=labels, after=after, columns=columns)
                whole = [*(f"{conversation.labels[x]:g}" if x in conversation.labels else "" for x in after)]
                whole += [conversation.columns.get(x, "") for x in columns]
                for m in conversation.messages:
                    marks = [f"{m.labels[x]:g}" if x in m.labels else "" for x in labels]
                    rows.writerow([conversation.id, m.role, m.text, conversation.speaker, *marks, *whole])
        return left
