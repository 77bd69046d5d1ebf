"""``holdfast run --on``: what is said before any work begins."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from holdfast.simulator.cli.main import run_command

STUDY = "candidates: [base]\nturns: 1\n"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--address", "head:6379"], "--address: only with --on ray"),
        (["--ray-models", "2", "--address", "head:6379"], "--address and --ray-models: only with --on ray"),
    ],
)
def test_ray_options_without_ray(
    study: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    out = study.parent / "run"
    assert run_command(["run", str(study), "--out", str(out), *options]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_ray_is_not_installed(study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holdfast.simulator.on_ray.cluster", None)
    assert run_command(["run", str(study), "--out", str(study.parent / "run"), "--on", "ray"]) == 2
    assert "pip install 'holdfast[ray]'" in capsys.readouterr().err


def test_ray_that_does_not_start_is_one_error(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (pip install 'holdfast[ray]')")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / ("long" * 30)))  # its sockets can have no name there
    out = study.parent / "run"
    assert run_command(["run", str(study), "--out", str(out), "--on", "ray"]) == 1
    said = capsys.readouterr().err
    assert "error: Ray did not start on this machine (" in said
    assert "or leave --on ray out: the transcripts are the same" in said
    assert not out.exists()
