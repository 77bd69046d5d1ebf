"""Run folders of every older journal version: they are read, gone on with, or refused with what to do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from holdfast import Study
from holdfast.core.errors import BudgetError, JournalError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.journal.file import OLDEST_READ, SCHEMA_VERSION
from holdfast.simulator.journal.store import read_episodes
from holdfast.simulator.measure.transcripts import transcripts_sha256
from tests.simulator.journal.older import make_older

OLDER = range(OLDEST_READ, SCHEMA_VERSION)


def study(**changes: object) -> Study:
    fields = {
        "personas": {"ids": ["jun_park"]},
        "candidates": ["base", "system_prompt"],
        "turns": 4,
        "feeler": "formula",  # the only one of older versions
        "sampling": {"max_tokens": 24},
    }
    return Study.of(**(fields | changes))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of today that came to its end."""
    out = tmp_path_factory.mktemp("whole") / "run"
    study().run(out)
    return out


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, stopped on its way."""
    out = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.raises(BudgetError):
        study(budget={"tokens": 150}, concurrency=1).run(out)
    return out


def older(run: Path, folder: Path, version: int) -> Path:
    shutil.copytree(run, folder / "run")
    make_older(folder / "run", version)
    return folder / "run"


def version_of(run: Path) -> int:
    with sqlite3.connect(run / "journal.sqlite") as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


@pytest.mark.parametrize("version", OLDER)
def test_a_report_says_what_it_said(
    whole: Path, tmp_path: Path, version: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run = older(whole, tmp_path, version)
    (run / "results.json").unlink()
    assert run_command(["report", str(run), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    before, now = (json.loads((folder / "results.json").read_text()) for folder in (whole, run))
    assert now["headline"] == before["headline"]
    for name, candidate in before["candidates"].items():
        same = ("adherence", "adherence_by_turn", "retention", "failed", "episodes")
        assert {key: now["candidates"][name][key] for key in same} == {key: candidate[key] for key in same}
    assert [(rater["name"], rater["role"]) for rater in now["raters"]] == [("linear", "primary")]
    assert "</html>" in (run / "report.html").read_text(encoding="utf-8")
    assert version_of(run) == version  # reading changes nothing
    assert run_command(["status", str(run)]) == 0


@pytest.mark.parametrize("version", OLDER)
def test_what_an_older_version_began_is_gone_on_with(whole: Path, stopped: Path, tmp_path: Path, version: int) -> None:
    run = older(stopped, tmp_path, version)
    assert study().run(run, resume=True).results.unfinished_episodes == 0
    assert version_of(run) == SCHEMA_VERSION
    again, calm = (transcripts_sha256(read_episodes(folder / "journal.sqlite")) for folder in (run, whole))
    assert again == calm


@pytest.mark.parametrize("version", OLDER)
def test_what_has_changed_since_is_refused_with_the_way_on(
    stopped: Path, tmp_path: Path, version: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run = older(stopped, tmp_path, version)
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = (run / "journal.sqlite").read_bytes()
    text = (run / "study.yaml").read_text().replace("turns: 4", "turns: 5")
    (run / "study.yaml").write_text(text.replace("feeler: formula\n", ""))  # older files have no such key
    assert run_command(["run", str(run / "study.yaml"), "--out", str(run), "--resume", "--quiet"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"error: {run}/journal.sqlite: cannot resume, the study has changed:",
        '  feeler: was "formula", now "people"',
        "  turns: was 4, now 5",
        f"The journal is of an older holdfast (version {version}, this one writes {SCHEMA_VERSION}), whose own "
        "personas, raters and defaults may differ. Go on with that one, or hold the study anew in another --out; "
        f"holdfast report {run} measures what is there",
    ]
    assert (run / "journal.sqlite").read_bytes() == before  # the older holdfast can still go on with it


def test_a_damaged_older_journal_is_not_rewritten(stopped: Path, tmp_path: Path) -> None:
    run = older(stopped, tmp_path, 3)
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("DELETE FROM turns WHERE turn = 1")
    with pytest.raises(JournalError, match=r"turn 1 of the conversation .* is missing"):
        study().run(run, resume=True)
    assert version_of(run) == 3
