"""All labelled sets at once: what is there, what is skipped and why, and the promised JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.core.errors import DataError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.validation.run import validate
from tests.simulator.validation.conftest import write_ieval

MEAN = {"mean", "lo", "hi", "reason"}


async def test_sets_that_the_raters_do_not_score_are_skipped_with_a_reason(judged_data: Path) -> None:
    rater = LinearRater()
    found = await validate({"expressed": rater}, judged_data, draws=50)
    assert set(found["how"]) == {"epitome"}
    assert found["skipped"]["lend_an_ear"] == "the rater does not score the scale 'acts'"
    assert found["raters"] == {"expressed": {"id": "linear", "version": rater.identity.version}}
    with pytest.raises(DataError, match=r"ieval: .*conversations\.csv: not there"):
        await validate({"perceived": FittedRater(SHIPPED_PERCEIVED)}, judged_data, draws=50)


def test_fit_then_validate_as_a_user_does(
    judged_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rater of a small set of our own, refitted on other people for the report: it finds what was put in."""
    data = write_ieval(judged_data, people=40)
    for scale in ("perceived", "felt"):
        out = str(tmp_path / "r" / scale)
        assert run_command(["rater", "fit", "--scale", scale, "--data", str(data), "--out", out]) == 0
    assert "written to" in capsys.readouterr().out
    assert run_command(["validate", str(tmp_path / "r"), "--data", str(data), "--json", "--draws", "50"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["how"]["ieval"]["weights"] == "refitted on other people"
    assert all(set(found["ieval"][key]) == MEAN for key in ("spearman", "within_bot", "length_only"))
    assert found["ieval"]["spearman"]["mean"] > 0.6
    assert found["how"]["ieval_felt"]["weights"] == "refitted on other people"
    assert set(found["ieval_felt"]["beyond_expressed"]) == MEAN
    assert found["ieval_felt"]["pearson"]["mean"] > 0.6
    assert found["skipped"]["lend_an_ear"] == "the rater does not score the scale 'acts'"
    assert found["skipped"]["epitome"] == "the rater does not score the scale 'expressed'"


def test_the_same_fit_gives_the_same_files(ieval_data: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        out = str(tmp_path / name)
        assert run_command(["rater", "fit", "--scale", "perceived", "--data", str(ieval_data), "--out", out, "-q"]) == 0
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_too_few_people_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_ieval(tmp_path / "few", people=3)
    command = ["rater", "fit", "--scale", "perceived", "--data", str(data), "--out", str(tmp_path / "out")]
    assert run_command(command) == 2
    assert "3 people with labels; fitting needs 5" in capsys.readouterr().err


def test_history_is_not_for_the_rater_of_single_replies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["rater", "fit", "--history", "2", "--out", str(tmp_path)]) == 2
    assert "reads the reply only" in capsys.readouterr().err
