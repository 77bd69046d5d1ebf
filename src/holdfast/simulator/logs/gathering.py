"""Rows that follow each other -> conversations, holding one conversation at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from holdfast.simulator.logs.records import SkippedLine

MOST_ROWS = 20_000  # of one conversation: bounds memory

Row = tuple[str, Mapping[str, str]]


def gather(rows: Iterable[Row | SkippedLine], key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Row]] | SkippedLine]:
    """Runs of rows that agree in the columns of ``key``.

    A conversation that comes back after another was already given away: such rows are skipped, and say so.
    """
    seen: set[int] = set()  # hashes: eight bytes of a conversation's id are enough to know it again
    current: tuple[str, ...] | None = None
    held: list[Row] = []
    for found in rows:
        if isinstance(found, SkippedLine):
            yield found
            continue
        place, row = found
        own = tuple(row.get(column, "") for column in key)
        if not any(own):
            yield SkippedLine(place, "line", "no conversation id")
        elif own == current:
            if len(held) < MOST_ROWS:
                held.append(found)
            else:
                yield SkippedLine(place, "line", f"conversation has more than {MOST_ROWS:,} rows")
        elif hash(own) in seen:
            yield SkippedLine(place, "line", "conversation comes back after another; sort the file by conversation")
        else:
            if current is not None:
                yield current, held
            current, held = own, [found]
            seen.add(hash(own))
    if current is not None:
        yield current, held
