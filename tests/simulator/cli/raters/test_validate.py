"""``holdfast validate`` and ``holdfast rater`` as a user meets them."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from holdfast.agents.raters.linear.epitome_pairs import COLUMNS
from holdfast.simulator.cli.main import run_command

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
    assert run_command(["validate", "linear", "--data", str(data), "--json", "--draws", "50"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["epitome"]) == set(MECHANISMS)
    for by in found["epitome"].values():
        assert set(by) == {*ANNOTATORS, "linear", "length"}
        assert all(set(one) == {"qwk", "lo", "hi", "n", "reason"} for one in by.values())
    assert found["epitome"]["emotional_reaction"]["gpt"]["qwk"] == pytest.approx(1)
    assert found["epitome"]["exploration"]["gpt"] == {
        "qwk": None, "lo": None, "hi": None, "n": 4, "reason": "",
    }  # fmt: skip
    assert found["raters"]["expressed"]["id"] == "linear"
    assert set(found["beside"]["epitome"]) == set(MECHANISMS)
    assert set(found["skipped"]) == {"ieval", "lend_an_ear", "esconv", "ieval_felt", "esconv_felt"}
    assert found["skipped"]["ieval"].endswith("conversations.csv: not there")
    assert found["skipped"]["lend_an_ear"] == "the rater does not score the scale 'acts'"


def test_table_is_aligned_and_quiet_says_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["validate", "linear", "--data", str(data), "--draws", "50"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.split("  ")[0] == "annotator")
    at = lines[head].index("interpretation")
    assert all(line[at - 2 : at] == "  " for line in lines[head + 1 : head + 11])
    assert "undefined" in out
    assert "4 texts." in out
    assert "skipped ieval" in out
    assert run_command(["validate", "linear", "--data", str(data), "--draws", "50", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_absent_data_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["validate", "linear", "--data", str(tmp_path / "nowhere")]) == 2
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
    assert sorted(file.name for file in out.iterdir()) == ["card.md", "people.json", "vocabulary.json", "weights.npz"]


def test_out_writes_the_same_bytes_twice(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        assert (
            run_command(
                ["validate", "linear", "--data", str(data), "--out", str(tmp_path / name), "--draws", "50", "-q"]
            )
            == 0
        )
    for name in ("validation.json", "validation.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert (tmp_path / "one" / "validation.png").read_bytes().startswith(b"\x89PNG")
    assert (
        json.loads((tmp_path / "one" / "validation.json").read_text())["epitome"]["exploration"]["gpt"]["qwk"] is None
    )
    (tmp_path / "file").write_text("")
    assert run_command(["validate", "linear", "--data", str(data), "--out", str(tmp_path / "file" / "x"), "-q"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_without_matplotlib_only_out_is_refused_and_at_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    command = ["validate", "linear", "--data", str(data), "--draws", "50"]
    assert run_command([*command, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1  # nothing was validated before
    assert "pip install 'holdfast[figures]'" in captured.err
    assert not (tmp_path / "out").exists()
    assert run_command([*command, "--json"]) == 0


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("linaer", "unknown rater 'linaer'; did you mean 'linear'? (allowed: linear, linear_peers, encoder, FOLDER"),
        ("{empty}", "no rater lies there. Allowed: a folder with rater.json"),
    ],
)
def test_unknown_raters(
    reference: str, message: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = reference.format(empty=tmp_path)
    assert run_command(["validate", given, "--data", str(data)]) == 2
    assert message in capsys.readouterr().err


def test_cards(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["rater", "card", "linear", "--json"]) == 0
    cards = json.loads(capsys.readouterr().out)
    assert set(cards) == {"expressed", "perceived", "felt"}
    assert all("Where it fails" in card and "Fitted on" in card for card in cards.values())
    assert "assumes" in cards["perceived"]
    assert run_command(["rater", "card", "linear"]) == 0
    assert "# Linear rater: perceived" in capsys.readouterr().out
