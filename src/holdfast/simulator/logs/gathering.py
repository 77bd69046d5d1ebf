"""Group consecutive rows into conversations, with one conversation in memory at a time."""

from collections.abc import Iterable, Iterator, Mapping

from holdfast.simulator.logs.records import SkippedLine

MOST_ROWS = 20_000  # of one conversation: bounds memory

Row = tuple[str, Mapping[str, str]]


def gather(
    rows: Iterable[Row | SkippedLine], key: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], list[Row]] | SkippedLine]:
    """Yield runs of rows that agree in the columns of ``key``.

    Rows of a conversation that comes back after another are skipped, since the first run was already yielded.
    """
    seen: set[int] = set()  # hashes of conversation ids, to save memory
    current: tuple[str, ...] | None = None
    run: list[Row] = []
    for entry in rows:
        if isinstance(entry, SkippedLine):
            yield entry
            continue
        place, row = entry
        own = tuple(row.get(column, "") for column in key)
        if not any(own):
            yield SkippedLine(place, "line", "no conversation id")
        elif own == current:
            if len(run) < MOST_ROWS:
                run.append(entry)
            else:
                yield SkippedLine(place, "line", f"conversation has more than {MOST_ROWS:,} rows")
        elif hash(own) in seen:
            yield SkippedLine(place, "line", "conversation comes back after another; sort the file by conversation")
        else:
            if current is not None:
                yield current, run
            current, run = own, [entry]
            seen.add(hash(own))
    if current is not None:
        yield current, run
