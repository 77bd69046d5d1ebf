"""``holdfast power`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.simulator.cli.main import run_command
from holdfast.simulator.results.store import write_results
from tests.simulator.results.test_build import DECAY, LONG, build, study

NUMBERS = "power now"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("run")
    write_results(made / "results.json", build(study(DECAY, turns=LONG)))
    return made


def test_table_and_quiet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["power", str(folder)]) == 0
    out = capsys.readouterr().out
    assert NUMBERS in out.splitlines()[0]
    assert "personas for 80%, with m conversations" in out
    assert len([line for line in out.splitlines() if line.startswith(("base ", "routed "))]) == 3
    assert run_command(["power", str(folder), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_json_says_what_more_conversations_of_a_persona_save(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["power", str(folder), "--difference", "0.01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["metric"], found["target"]) == ("adherence_last_quarter", 0.8)
    for pair in found["pairs"]:
        assert pair["difference"] == 0.01
        needed = [one["personas"] for one in pair["needed"]]
        assert needed == sorted(needed, reverse=True)
        assert all(one >= 2 for one in needed)
        assert pair["of_means"] == pytest.approx(pair["between"] + pair["within"] / 2) or pair["note"]


def test_one_conversation_each_says_what_is_not_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_results(tmp_path / "results.json", build(study(DECAY, turns=LONG, seeds=1)))
    assert run_command(["power", str(tmp_path), "--json"]) == 0
    pair = json.loads(capsys.readouterr().out)["pairs"][0]
    assert [one["personas"] is None for one in pair["needed"]] == [False, True, True, True]
    assert pair["note"].startswith("Each persona met each candidate once")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is absent; make it with 'holdfast report"),
        ("{", "is no JSON: 'holdfast report"),
        ("[]", "was written by another version of holdfast: 'holdfast report"),
        ('{"schema_version": 1, "pairwise": []}', "was written by another version of holdfast: 'holdfast report"),
    ],
)
def test_bad_results_are_told(
    tmp_path: Path, text: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "results.json").write_text(text, encoding="utf-8")
    assert run_command(["power", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_no_folder_and_no_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["power", str(tmp_path / "none")]) == 2
    assert "no such run folder" in capsys.readouterr().err
    write_results(tmp_path / "results.json", build(study({"base": 0.9})))
    assert run_command(["power", str(tmp_path)]) == 0
    assert "nothing to plan" in capsys.readouterr().out
