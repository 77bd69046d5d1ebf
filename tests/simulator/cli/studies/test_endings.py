"""What a run says at its end, however it came about."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.simulator.api import Study
from holdfast.simulator.cli.console import Output
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.cli.studies.run import show_results
from tests.simulator.report.make_fixture import make_results


def test_after_ctrl_c_stands_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study, out = tmp_path / "study.yaml", tmp_path / "my run"
    study.write_text("candidates: [base]\n")

    def interrupted(_study: Study, folder: Path, **_options: object) -> None:
        folder.mkdir()
        (folder / "study.yaml").write_text(study.read_text())
        raise KeyboardInterrupt

    monkeypatch.setattr(Study, "run", interrupted)
    assert run_command(["run", str(study), "--out", str(out), "--quiet"]) == 130
    first, last = filter(None, capsys.readouterr().err.splitlines())
    assert (first, last) == (f"go on with: holdfast run '{out}'/study.yaml --out '{out}' --resume", "interrupted")


def test_quiet_keeps_the_causes_of_what_failed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    results = make_results(turns=2).model_copy(
        update={"failed_episodes": 1, "episodes": 3, "failures": {"HTTP 500": 1}}
    )
    show_results(results, tmp_path, Output(as_json=False, quiet=True))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "1 of 3 conversations failed; --resume holds them again. The commonest causes:",
        "  1 x HTTP 500",
    ]
