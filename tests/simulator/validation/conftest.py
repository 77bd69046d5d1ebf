"""Small labelled data sets of our own, and where the real ones lie if they are there."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.protocol import ACTS

REAL = Path(os.environ.get("HOLDFAST_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")
ANNOTATORS = ("expert1", "expert2", "expert3", "crowd", "gpt", "claude")
DIMENSIONS = ("level_emotional_reactions", "level_interpretations", "level_explorations")
REPLIES = ("I'm so sorry to hear that.", "Write a list.", "I've been there too.", "Why do you feel that way?")
LEVELS = ((2, 0, 0), (0, 0, 0), (0, 2, 0), (0, 0, 2))  # the median of the experts, per reply


def write_judged(data: Path) -> Path:
    """Four EPITOME replies: experts 1 and 2 agree, expert 3 always says 1, the crowd says 0 throughout. And twelve
    conversations of Lend an Ear: those with an even number ask questions and were judged to encourage (5, else 1)."""
    folder = data / "judging_empathic_communication"
    folder.mkdir(parents=True)
    with (folder / "conversations.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["dataset", "conversation_id", "full_conversation"])
        for number, reply in enumerate(REPLIES):
            rows.writerow(["epitome", f"id{number}_r", f"Seeker: it is hard\nSupporter: {reply}"])
        for number in range(12):
            reply = f"What is it about {number}?" if number % 2 == 0 else f"Just stop it, number {number}."
            rows.writerow(["lend_an_ear", f"e{number}", f"Seeker: hard\nand long\nSupporter: {reply}\nSeeker: ok"])
    with (folder / "annotations_long.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["dataset", "conversation_id", "dimension", "annotator", "score"])
        for number, levels in enumerate(LEVELS):
            for dimension, level in zip(DIMENSIONS, levels, strict=True):
                for who in ANNOTATORS:
                    given = {"expert3": 1.0, "crowd": 0.0}.get(who, float(level))
                    rows.writerow(["epitome", f"id{number}_r", dimension, who, given])
        for number in range(12):
            for act in ACTS.dimensions:
                for who in ANNOTATORS:
                    level = 5.0 if (number % 2 == 0) == (act == "encouraging_elaboration") else 1.0
                    rows.writerow(["lend_an_ear", f"e{number}", act, who, 3.25 if who == "crowd" else level])
    return data


def write_ieval(data: Path, people: int = 12) -> Path:
    """Two chats per person with two chatbots. Warm replies please (5), mocking ones do not (1), whoever the bot is;
    every third person finds everything one level worse."""
    folder = data / "ieval"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    with (folder / "conversations.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["conversation_id", "part", "bot", "EU", "ER", "messages"])
        for person in range(people):
            for bot in ("Pink", "Green"):
                warm = bool(rng.integers(2))
                reply = "So sorry, that must be hard." if warm else "Ha ha, who cares about it."
                level = (5 if warm else 2) - (person % 3 == 0)
                turn = [{"role": "user", "content": "I lost my job."}, {"role": "assistant", "content": reply}]
                rows.writerow([f"{person}-{bot}", person, bot, level, max(level - 1, 1), json.dumps(turn * 3)])
    return data


@pytest.fixture
def judged_data(tmp_path: Path) -> Path:
    """A data folder that holds the small judged sets."""
    return write_judged(tmp_path / "data")


@pytest.fixture
def ieval_data(tmp_path: Path) -> Path:
    """A data folder that holds the small chats."""
    return write_ieval(tmp_path / "data")


@pytest.fixture
def real_data() -> Path:
    """The folder of the labelled data sets; skips where it is absent."""
    sets = ("judging_empathic_communication", "epitome_reddit", "ieval", "esconv_failed")
    if not all((REAL / one).exists() for one in sets):
        pytest.skip(f"not all labelled data ({', '.join(sets)}) in {REAL}: set HOLDFAST_DATA to run this test")
    return REAL
