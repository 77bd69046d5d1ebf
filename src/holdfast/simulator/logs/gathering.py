"""Group the rows of a table into conversations, with few conversations in memory at a time.

The rows are read twice. The first time says where each conversation begins and ends, and which are damaged: a row that
cannot be used damages the conversation that it names; where it names none, those before, after and around it. The
second time gives the rows.

A conversation may come back after another, as in a log by time. Its rows belong together where something shows it: a
column that counts turns or gives the time rises on; or somewhere in the file a reply is parted from its message by rows
of another conversation, so that the rows are by time. Where that column begins anew, it is another conversation of the
same name. Where nothing shows either, it is left out.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from holdfast.core.reading.skips import BrokenRow, SkippedLine
from holdfast.simulator.logs.values import id_of, number_of

MOST_ROWS = 20_000  # of one conversation
MOST_OPEN = 400_000  # rows of conversations that are not yet over
MOST_BROKEN = 200_000  # places of broken rows that are remembered
#: Columns that rise within a conversation, as tables usually call them.
ORDERS: tuple[str, ...] = (
    "turn",
    "turn_id",
    "turn_index",
    "turn_number",
    "turn_idx",
    "message_index",
    "message_number",
    "msg_index",
)
ORDERS += ("seq", "sequence", "position", "step", "timestamp", "created_at", "create_time", "sent_at", "date_time")
_TIME = re.compile(r"\d{4}-\d\d-\d\d")
_LEFT = "left out: a row of it cannot be used"
_BACK = (
    "left out: it comes back after another; sort the rows by conversation, or name turns with --columns order=COLUMN"
)
_ORDER = "left out: its turns or times do not rise"

Row = tuple[str, Mapping[str, Any]]
Rows = Callable[[], Iterable[Row | BrokenRow]]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """How rows make conversations. ``key``: the columns whose values name one; ``order``: one that rises within it.

    ``strict``: it is never the same twice. ``opens``: whether a row can be a conversation's first; ``closes``: whether
    it can be the last. ``always``: rows of one key belong together wherever they stand.
    """

    key: tuple[str, ...]
    order: str = ""
    strict: bool = False
    opens: Callable[[Mapping[str, Any]], bool] = lambda _row: True
    closes: Callable[[Mapping[str, Any]], bool] = lambda _row: True
    always: bool = False


@dataclass(slots=True)
class _Span:
    """Where the rows of a conversation stand, by their numbers, and why it cannot be used."""

    first: int
    last: int
    count: int = 0
    parts: int = 1
    damage: str = ""
    detail: str = ""
    back: str = ""  # where it came back, though nothing said that it was the same

    def damaged(self, reason: str, detail: str = "") -> None:
        if not self.damage:
            self.damage, self.detail = reason, detail


@dataclass(slots=True)
class _Progress:
    """What is known of a name's conversation so far. ``run``: how many of that name came before."""

    run: int
    number: int
    start: float | None
    order: float | None
    closed: bool


def gather(rows: Rows, grouping: Grouping) -> Iterator[tuple[Key, list[Row]] | SkippedLine]:
    """Yield the rows of each conversation once its last is read, and what cannot be used.

    ``rows``: gives them all anew with each call.
    """
    spans = _Survey(grouping).of(rows())
    walk = _Walk(grouping)
    waiting: dict[tuple[Key, int], list[Row]] = {}
    count = 0
    for number, entry in enumerate(rows()):
        if isinstance(entry, BrokenRow):
            yield entry.skip
            continue
        run = walk.run_of(number, entry[1])
        if run is None:
            yield SkippedLine(entry[0], "line", "no conversation id")
            continue
        span = spans.get(run)
        if span is None:
            yield SkippedLine(entry[0], "line", "the file changed while it was read")
            continue
        if span.count > MOST_ROWS:
            span.damaged(f"left out: more than {MOST_ROWS:,} rows")
        kept = waiting.setdefault(run, [])
        if not span.damage or not kept:
            kept.append(entry)
            count += 1
        if count > MOST_OPEN and number < span.last:
            span.damaged("left out: too many conversations at once; sort the rows by conversation")
            count -= len(kept) - 1
            del kept[1:]
        if number == span.last:
            done = waiting.pop(run)
            count -= len(done)
            if span.damage:
                yield SkippedLine(done[0][0], "conversation", span.damage, span.detail)
            else:
                yield run[0], done


class _Walk:
    """Tells of each row in turn to which conversation it belongs: the same in both readings."""

    def __init__(self, grouping: Grouping) -> None:
        self._how = grouping
        self._names: dict[Key, _Progress] = {}
        self._number = -1  # of the last row that was used
        self.doubt = ""  # why the conversation of the last row cannot be trusted
        self.woven = False  # whether a reply stood apart from its message, so that rows are by time

    def run_of(self, number: int, row: Mapping[str, Any]) -> tuple[Key, int] | None:
        """Return the conversation's name and how many of that name came before; None without a name."""
        self.doubt = ""
        key = tuple(id_of(row.get(column)) for column in self._how.key)
        if not any(key):
            return None
        order = _order_of(row.get(self._how.order)) if self._how.order else None
        seen = self._names.get(key)
        if seen is None:
            seen = self._names[key] = _Progress(0, number, order, order, True)
        elif not self._how.always and self._anew(seen, row, order):
            seen.run, seen.start = seen.run + 1, order
        seen.number, seen.order, seen.closed = number, order, self._how.closes(row)
        self._number = number
        return key, seen.run

    def _anew(self, seen: _Progress, row: Mapping[str, Any], order: float | None) -> bool:
        """Whether a row begins another conversation of the same name; doubts are kept in ``doubt``."""
        if order is not None and seen.order is not None:
            if order > seen.order or (order == seen.order and not self._how.strict):
                return False
            if order == seen.start and self._how.opens(row):
                return True
            self.doubt = _ORDER
            return False
        if self._number != seen.number:
            if seen.closed and self._how.opens(row):
                self.doubt = _BACK
            else:
                self.woven = True
        return False


def _order_of(value: object) -> float | None:
    """Return a number or a time as seconds; None for anything else."""
    if isinstance(value, str) and _TIME.match(value):
        try:
            time = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return number_of(value)


@dataclass(slots=True)
class _Gap:
    """A row that cannot be used: the conversation that it may name, and those before and after it."""

    number: int
    key: Key
    wrong: str
    before: _Span | None
    after: _Span | None = None


class _Survey:
    """The first reading: where each conversation stands, and which are damaged."""

    def __init__(self, grouping: Grouping) -> None:
        self._how = grouping
        self._spans: dict[tuple[Key, int], _Span] = {}
        self._gaps: list[_Gap] = []

    def of(self, rows: Iterable[Row | BrokenRow]) -> dict[tuple[Key, int], _Span]:
        """Return the place of each conversation."""
        walk = _Walk(self._how)
        before: _Span | None = None
        open_gaps: list[_Gap] = []
        for number, entry in enumerate(rows):
            place, row = ("", {}) if isinstance(entry, BrokenRow) else entry
            run = walk.run_of(number, row)
            if run is None:
                gap = self._gap(number, entry, before)
                if len(self._gaps) < MOST_BROKEN:
                    self._gaps.append(gap)
                    open_gaps.append(gap)
                elif before is not None:
                    before.damaged(_LEFT, gap.wrong)
                continue
            span = self._spans.get(run)
            if span is None:
                span = self._spans[run] = _Span(number, number)
            span.parts += before is not span and span.count > 0
            span.last, span.count, before = number, span.count + 1, span
            if walk.doubt == _BACK:
                span.back = span.back or place
            elif walk.doubt:
                span.damaged(walk.doubt, place)
            for gap in open_gaps:
                gap.after = span
            open_gaps.clear()
        self._damage()
        for span in self._spans.values():
            if span.back and not walk.woven:
                span.damaged(_BACK, span.back)
        return self._spans

    def _gap(self, number: int, entry: Row | BrokenRow, before: _Span | None) -> _Gap:
        if not isinstance(entry, BrokenRow):
            return _Gap(number, (), f"{entry[0]}: no conversation id", before)
        return _Gap(number, tuple(id_of(entry.cells.get(column)) for column in self._how.key), str(entry.skip), before)

    def _damage(self) -> None:
        """Damage the conversations that broken rows name, or else those before, after and around them."""
        names = {key for key, _ in self._spans}
        named = {gap.key: gap.wrong for gap in reversed(self._gaps) if gap.key in names}
        others = [gap for gap in self._gaps if gap.key not in names]
        for gap in others:
            for span in (gap.before, gap.after):
                if span is not None:
                    span.damaged(_LEFT, gap.wrong)
        for (key, _), span in self._spans.items():
            if key in named:
                span.damaged(_LEFT, named[key])
            elif span.parts > 1:
                at = bisect_right(others, span.first, key=lambda gap: gap.number)
                if at < len(others) and others[at].number < span.last:
                    span.damaged(_LEFT, others[at].wrong)
