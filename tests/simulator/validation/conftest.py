"""A small judged data set of our own, and where the real one lies if it is there."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

REAL = Path(os.environ.get("HOLDFAST_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")
ANNOTATORS = ("expert1", "expert2", "expert3", "crowd", "gpt", "claude")
DIMENSIONS = ("level_emotional_reactions", "level_interpretations", "level_explorations")
REPLIES = ("I'm so sorry to hear that.", "Write a list.", "I've been there too.", "Why do you feel that way?")
LEVELS = ((2, 0, 0), (0, 0, 0), (0, 2, 0), (0, 0, 2))  # the median of the experts, per reply


def write_judged(data: Path) -> Path:
    """Four EPITOME replies: experts 1 and 2 agree, expert 3 always says 1, the crowd says 0 throughout."""
    folder = data / "judging_empathic_communication"
    folder.mkdir(parents=True)
    with (folder / "conversations.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["dataset", "conversation_id", "full_conversation"])
        rows.writerow(["lend_an_ear", "x", "Seeker: not ours"])
        for number, reply in enumerate(REPLIES):
            rows.writerow(["epitome", f"id{number}", f"Seeker: it is hard\nSupporter: {reply}"])
    with (folder / "annotations_long.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["dataset", "conversation_id", "dimension", "annotator", "score"])
        for number, levels in enumerate(LEVELS):
            for dimension, level in zip(DIMENSIONS, levels, strict=True):
                for who in ANNOTATORS:
                    given = {"expert3": 1.0, "crowd": 0.0}.get(who, float(level))
                    rows.writerow(["epitome", f"id{number}", dimension, who, given])
    return data


@pytest.fixture
def judged_data(tmp_path: Path) -> Path:
    """A data folder that holds the small judged set."""
    return write_judged(tmp_path / "data")


@pytest.fixture
def real_data() -> Path:
    """The folder of the labelled data sets; skips where it is absent."""
    if not (REAL / "judging_empathic_communication").exists():
        pytest.skip(f"no labelled data in {REAL}: set HOLDFAST_DATA to run this test")
    return REAL
