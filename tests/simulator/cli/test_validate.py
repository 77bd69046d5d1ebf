"""``holdfast validate linear`` and ``holdfast rater fit`` as a user meets them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from agents.raters.pairs import COLUMNS
from simulator.cli.main import run_command

LEVELS = ("2.0", "0.0", "1.0", "2.0")
REPLIES = ("I'm so sorry to hear that.", "Write a list.", "I've been there too.", "Why do you feel that way?")
MECHANISMS = ("emotional_reaction", "interpretation", "exploration")
ANNOTATORS = ("expert1", "expert2", "expert3", "crowd", "gpt", "claude")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "judging_empathic_communication"
    folder.mkdir(parents=True)
    with (folder / "conversations.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["dataset", "conversation_id", "full_conversation"])
        rows.writerows(["epitome", f"id{n}", f"Seeker: hard\nSupporter: {reply}"] for n, reply in enumerate(REPLIES))
    with (folder / "annotations_long.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["dataset", "conversation_id", "dimension", "annotator", "score"])
        for mechanism in MECHANISMS:
            for who in ANNOTATORS:
                # Nobody ever explores: kappa is undefined.
                same = mechanism == "exploration"
                for n, level in enumerate(LEVELS):
                    rows.writerow(["epitome", f"id{n}", f"level_{mechanism}s", who, "0.0" if same else level])
    return folder.parent


def test_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["validate", "linear", "--data", str(data), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["epitome"]) == set(MECHANISMS)
    for by in found["epitome"].values():
        assert set(by) == {*ANNOTATORS, "linear", "length"}
        assert all(set(one) == {"qwk", "lo", "hi", "n"} for one in by.values())
    assert found["epitome"]["emotional_reaction"]["gpt"]["qwk"] == pytest.approx(1)
    assert found["epitome"]["exploration"]["gpt"] == {"qwk": None, "lo": None, "hi": None, "n": 4}
    assert found["rater"]["id"] == "linear"
    assert set(found["rater"]["continuous"]) == set(MECHANISMS)


def test_table_is_aligned_and_quiet_says_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["validate", "linear", "--data", str(data)]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].split("  ")[0] == "annotator"
    at = lines[0].index("interpretation")
    assert all(line[at - 2 : at] == "  " for line in lines[1:9])
    assert "undefined" in out
    assert "4 replies" in out
    assert run_command(["validate", "linear", "--data", str(data), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_absent_data_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["validate", "linear", "--data", str(tmp_path / "nowhere")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "no such folder" in error
    assert "Traceback" not in error


def test_rater_fit_writes_what_the_rater_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for n in range(60):
            words, level = (("So sorry", 2), ("Hope so", 1), ("Go on", 0))[n % 3]
            rows.writerow([f"post{n}", f"{words} then.", *[level] * 3, *[f"{words}|" if level else ""] * 3])
    out = tmp_path / "out"
    assert run_command(["rater", "fit", "--data", str(tmp_path), "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["replies"] == 60
    assert len(found["version"]) == 12
    assert sorted(file.name for file in out.iterdir()) == ["card.md", "vocabulary.json", "weights.npz"]
