"""``holdfast quickstart --model``: a real model's whole loop, also where it writes nothing to learn from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.simulator.cli.main import run_command
from tests.agents.models.conftest import CONFIGS, build_model


@pytest.mark.slow
def test_a_hopeless_model_still_shows_its_untrained_candidates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hopeless = build_model(CONFIGS["llama"], tmp_path / "hopeless")
    out = tmp_path / "run"
    assert run_command(["quickstart", "--model", f"hf:{hopeless}", "--turns", "2", "--out", str(out)]) == 0
    screen = capsys.readouterr()
    assert f"hf:{hopeless}: 0 million parameters, in float32. First 12 steered dialogues a pattern" in screen.err
    assert "hopeless in float32 has not the same bytes whatever shares a batch" in screen.err  # heads of eight numbers
    assert "Going on without that promise." in screen.err
    assert "nothing to train on: pattern companion: none of" in screen.err
    assert "Nothing was trained, so only untrained candidates are shown." in screen.out
    assert f"not byte-reproducible: hf:{hopeless} runs in float32" in screen.out
    results = json.loads((out / "results.json").read_text())
    assert sorted(results["candidates"]) == ["base", "system_prompt", "system_prompt_with_reminder"]
    assert results["episodes"] == 8 * 3
    assert results["byte_reproducible"] is False
    assert "Not byte-reproducible." in (out / "report.html").read_text()
    assert "Nothing was trained, so only untrained candidates" in (out / "report.html").read_text()
    before = results["transcripts_sha256"]
    again = ["quickstart", "--out", str(out), "--resume", "--quiet"]
    assert run_command(again) == run_command([*again, "--model", f"hf:{hopeless}"]) == 0  # the study that stands there
    assert json.loads((out / "results.json").read_text())["transcripts_sha256"] == before


def test_a_served_model_is_pointed_to_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert run_command(["quickstart", "--model", "ollama:llama3", "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "the quickstart trains adapters, and so needs a model of this machine, not ollama:llama3" in said
    assert "holdfast run STUDY.yaml --model" in said
    assert not out.exists()
