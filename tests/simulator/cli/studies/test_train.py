"""``holdfast train`` on the embedded model: what it says at the start, and the table at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.simulator.cli.main import run_command
from holdfast.simulator.journal.store import read_episodes

TRAINING = {
    **{
        "patterns": ["companion"],
        "dialogues_per_pattern": 4,
        "turns": 2,
        "min_turns": 1,
        "samples": 2,
        "min_adherence": 0.4,
    },
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
    assert "router: not tested, since no candidate is routed" in said.out
    assert "testing the router" not in said.err


@pytest.mark.slow
def test_each_training_of_an_arm_is_trained_held_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study(tmp_path, replicates=2)
    file = tmp_path / "study.yaml"
    asked = json.loads(file.read_text()) | {"candidates": ["base", "oracle"], "turns": 2, "sampling": {"max_tokens": 8}}
    file.write_text(json.dumps(asked))
    out = tmp_path / "run"
    assert run_command(["run", str(file), "--out", str(out), "--processes", "1", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert sorted(path.name for path in (out / "adapters").iterdir() if path.is_dir()) == ["companion", "companion-2"]
    assert set(results["candidates"]) == {"base", "oracle", "oracle-2"}
    spoke = {episode.spec.candidate: episode.turns[0].adapter for episode in read_episodes(out / "journal.sqlite")}
    assert spoke == {"base": None, "oracle": "companion", "oracle-2": "companion-2"}
    (row,) = results["trainings"]
    assert (row["arm"], row["against"], [*row["by_training"]]) == ("oracle", "base", ["oracle", "oracle-2"])
    assert run_command(["report", str(out), "--json"]) == 0  # from the journal alone
    assert json.loads(capsys.readouterr().out)["trainings"] == [row]
