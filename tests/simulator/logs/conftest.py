"""Small logs of our own in every format, and where the real ones lie if they are there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.protocols import ReadOptions
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS, WRITTEN

REAL = Path(os.environ.get("HOLDFAST_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")


def small(number: int = 0, turns: int = 4) -> Conversation:
    """A conversation that has a little of everything."""
    messages = []
    for turn in range(1, turns + 1):
        labels = {"emotion": 40.0 + turn, "feedback": 1.0 + (turn + number) % 5} if turn > 1 else {"emotion": 40.0}
        messages.append(LogMessage("user", f"I am worried, it is day {turn}.", labels))
        felt = {"interest": 4.0, "prosocial_expression": 2.0} if turn == 2 else {}
        messages.append(LogMessage("assistant", f"So sorry. Tell me of day {turn}?", felt, "Questions"))
    return Conversation(
        id=f"c{number}",
        place="here:1",
        messages=tuple(messages),
        speaker=f"p{number}",
        columns={
            "model": "m",
            "simulator": "s",
            "bot": "Blue",
            "candidate": "m",
            "persona": f"p{number}",
            "task": "burnout",
        },
        labels={"empathy": 3.0, "desired": 5.0},
        planned=turns,
        end="failure",
    )


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Twelve small conversations as a file of the format named."""

    def write(word: str) -> Path:
        path = tmp_path / f"log-{word}{WRITTEN[word].suffix}"
        WRITTEN[word].writer.write([small(number) for number in range(12)], path)
        return path

    return write


def read(word: str, path: Path, **how: object) -> tuple[list[Conversation], list[SkippedLine]]:
    """All conversations and all skips of a file. ``how``: options of the reader."""
    found = list(FORMATS[word].reader.read(path, ReadOptions(**how)))
    return [x for x in found if isinstance(x, Conversation)], [x for x in found if isinstance(x, SkippedLine)]


@pytest.fixture
def real_data() -> Path:
    """The folder of other people's data sets; skips where it is absent."""
    if not (REAL / "sage_trajectories").exists():
        pytest.skip(f"no data sets of others in {REAL}: set HOLDFAST_DATA to run this test")
    return REAL
