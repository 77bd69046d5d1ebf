"""Rows to conversations: what belongs together, what is another of the same name, and what is damaged."""

from __future__ import annotations

import pytest

from holdfast.core.reading.skips import BrokenRow, SkippedLine
from holdfast.simulator.logs import gathering
from holdfast.simulator.logs.gathering import Grouping, gather

MESSAGES = Grouping(("id",), opens=lambda row: row["role"] != "a", closes=lambda row: row["role"] == "a")
TURNS = Grouping(("id",), order="turn", strict=True)


def rows(*cells: str) -> list[object]:
    """Rows of "id role", of "id turn" or, broken, "!" or "!id"."""
    made: list[object] = []
    for number, cell in enumerate(cells, start=1):
        place = f"x:{number}"
        if cell.startswith("!"):
            made.append(BrokenRow(SkippedLine(place, "line", "broken"), {"id": cell[1:]} if cell[1:] else {}))
        else:
            id, _, rest = cell.partition(" ")
            made.append((place, {"id": id, "role": rest, "turn": rest}))
    return made


def gathered(grouping: Grouping, *cells: str) -> tuple[list[str], dict[str, str]]:
    """The conversations as "id: line line", and what was left out: the line of its first row -> why."""
    made = rows(*cells)
    together, left = [], {}
    for run in gather(lambda: made, grouping):
        if isinstance(run, SkippedLine):
            if run.kind == "conversation":
                left[run.place.removeprefix("x:")] = run.reason.removeprefix("left out: ")
        else:
            lines = " ".join(place.removeprefix("x:") for place, _ in run[1])
            together.append(f"{run[0][0]}: {lines}")
    return together, left


LOST = "a row of it cannot be used"
BACK = "it comes back after another; sort the rows by conversation, or name turns with --columns order=COLUMN"


@pytest.mark.parametrize(
    ("cells", "together", "left"),
    [
        (["a u", "a a", "b u", "b a"], ["a: 1 2", "b: 3 4"], {}),
        (["a u", "b u", "a a", "b a"], ["a: 1 3", "b: 2 4"], {}),  # a reply follows its message
        (["a u", "a a", "a u", "b u", "b a", "a a"], ["b: 4 5", "a: 1 2 3 6"], {}),
        (["a u", "a a", "b u", "b a", "a u", "a a"], ["b: 3 4"], {"1": BACK}),  # the same, or another a?
        (["a u", "a a", "b u", "c u", "b a", "c a", "a u", "a a"], ["b: 3 5", "c: 4 6", "a: 1 2 7 8"], {}),  # by time
        (["a u", "!", "a a", "b u", "b a"], ["b: 4 5"], {"1": LOST}),
        (["a u", "a a", "!", "b u", "b a", "c u", "c a"], ["c: 6 7"], {"1": LOST, "4": LOST}),  # whose was it?
        (["a u", "a a", "!b", "b a", "c u", "c a"], ["a: 1 2", "c: 5 6"], {"4": LOST}),
        (["a u", "!zz", "a a", "b u", "b a"], ["b: 4 5"], {"1": LOST}),
        (["a u", "b u", "!", "c u", "c a", "b a", "a a"], [], {"1": LOST, "2": LOST, "4": LOST}),
        (["!", "a u", "a a", "b u", "b a"], ["b: 4 5"], {"2": LOST}),
        (["a u", "a a", "b u", "b a", "!"], ["a: 1 2"], {"3": LOST}),
        (["a u", "a a", " u", "b u", "b a"], [], {"1": LOST, "4": LOST}),
    ],
)
def test_messages(cells, together, left):
    assert gathered(MESSAGES, *cells) == (together, left)


@pytest.mark.parametrize(
    ("cells", "together", "left"),
    [
        (["a 1", "a 2", "b 1", "b 2"], ["a: 1 2", "b: 3 4"], {}),
        (["a 1", "b 1", "a 2", "b 2"], ["a: 1 3", "b: 2 4"], {}),
        (["a 1", "a 2", "a 1", "a 2"], ["a: 1 2", "a: 3 4"], {}),  # another a
        (["a 1", "a 1"], ["a: 1", "a: 2"], {}),
        (["a 1", "a 2", "b 1", "a 1", "a 2"], ["a: 1 2", "b: 3", "a: 4 5"], {}),
        (["a 1", "a 3", "a 2"], [], {"1": "its turns or times do not rise"}),
        (["a 1", "a ?", "b 1", "a 2"], ["b: 3"], {"1": BACK}),  # the row before does not count
        (["a 2024-01-01T10", "b 2024-01-01T11", "a 2024-01-01T12"], ["b: 2", "a: 1 3"], {}),
        (["a 2024-01-01T10:00:00Z", "b 2024-01-01", "a 2024-01-01T10:00:00.5Z"], ["b: 2", "a: 1 3"], {}),
    ],
)
def test_turns(cells, together, left):
    assert gathered(TURNS, *cells) == (together, left)


def test_rows_that_always_belong_together():
    assert gathered(Grouping(("id",), always=True), "a 2", "b 1", "a 1") == (["b: 2", "a: 1 3"], {})


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(gathering, "MOST_ROWS", 3)
    together, left = gathered(MESSAGES, "a u", "a a", "a u", "a a", "b u", "b a")
    assert (together, left) == (["b: 5 6"], {"1": "more than 3 rows"})
    monkeypatch.setattr(gathering, "MOST_OPEN", 4)
    cells = [f"c{number} u" for number in range(9)] + [f"c{number} a" for number in range(9)]
    together, left = gathered(MESSAGES, *cells)
    assert len(together) + len(left) == 9
    assert set(left.values()) == {"too many conversations at once; sort the rows by conversation"}
