"""Where a study is held changes how long it takes, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from holdfast.agents.models.local import multiprocess as processes
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.journal.store import read_episodes
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.runtime import executor
from holdfast.simulator.runtime.executor import LOCAL, LONG, LocalExecutor, with_processes

STUDY = "{candidates: [base, system_prompt], personas: {per_task: 1}, turns: 2, batch_size: 16}"


def test_only_a_long_study_has_several_processes_unless_it_is_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_cores", lambda: 3)
    assert with_processes(LOCAL, LONG - 1) == LocalExecutor(1)
    assert with_processes(LOCAL, LONG) == LocalExecutor(3)
    assert with_processes(LocalExecutor(2), 10) == LocalExecutor(2)
    assert with_processes(LocalExecutor(1), 10**6) == LocalExecutor(1)
    monkeypatch.setattr(executor, "_cores", lambda: 128)
    assert with_processes(LOCAL, LONG) == LocalExecutor(processes.MOST)
    elsewhere: Any = object()
    assert with_processes(elsewhere, LONG) is elsewhere


@pytest.mark.slow
def test_a_study_in_two_processes_has_the_same_transcripts(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    hashes = []
    for count in ("1", "2"):
        out = tmp_path / count
        assert run_command(["run", str(tmp_path / "study.yaml"), "--out", str(out), "--processes", count, "-q"]) == 0
        hashes.append(transcripts_sha256(read_episodes(out / "journal.sqlite")))
    assert hashes[0] == hashes[1]


def test_processes_are_for_this_machine_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    command = ["run", str(tmp_path / "study.yaml"), "--out", str(tmp_path / "out"), "--on", "ray", "--processes", "2"]
    assert run_command(command) == 2
    assert "--ray-models" in capsys.readouterr().err
