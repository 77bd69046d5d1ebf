"""``holdfast train`` on the embedded model: what it says at the start, and the table at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.simulator.cli.main import run_command

TRAINING = {
    **{"patterns": ["companion"], "dialogues_per_pattern": 4, "turns": 2, "min_turns": 1, "samples": 2},
    **{"steps": 1, "batch_size": 2, "threads": 1},
}


def study(folder: Path, **training: object) -> list[str]:
    file = folder / "study.yaml"
    about = {"personas": {"tasks": ["burnout"]}, "candidates": ["base"], "seed": 1}
    file.write_text(json.dumps(about | {"training": TRAINING | training}))
    return ["train", str(file), "--out", str(folder / "out")]


def test_it_tells_what_it_trains_on_and_what_came_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.warns(UserWarning, match=r"companion\.jsonl: .* cut: 48 tokens of a dialogue are read"):
        assert run_command(study(tmp_path, max_length=48)) == 0
    said = capsys.readouterr()
    trained_on = json.loads((tmp_path / "out" / "adapters" / "training.json").read_text())["adapters"]["companion"]
    counts = trained_on["trained_on"]
    assert f"training companion (1 of 1) on {counts['dialogues']} dialogues, {counts['replies']} rep" in said.err
    (row,) = [line for line in said.out.splitlines() if "companion" in line]
    assert " of 4" in row
