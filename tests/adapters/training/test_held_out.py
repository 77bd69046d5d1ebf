"""People whose dialogues are not learned from decide when to stop, and the best adapter is the one that is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.training import held_out, settings
from holdfast.adapters.training.held_out import BestHeldOut, hold_out_people
from holdfast.adapters.training.lora import AdapterJob, read_dialogues, train_adapter
from holdfast.adapters.training.store import CARD
from holdfast.core.jsonl import write_lines
from tests.adapters.standins import training_dialogue

CONFIG = TrainingConfig(steps=40, batch_size=2, threads=1, learning_rate=2e-2, patience=2)


def test_whole_people_are_held_out_and_few_of_them() -> None:
    items = [(name, number) for name in "abcdefghij" for number in range(3)]
    learned, out = hold_out_people(items, lambda item: item[0], 5)
    assert sorted([*learned, *out]) == items
    assert len({name for name, _ in out}) == 2  # .15 of ten
    assert not {name for name, _ in out} & {name for name, _ in learned}
    assert hold_out_people(items, lambda item: item[0], 5) == (learned, out)
    assert {hold_out_people(items, lambda item: item[0], seed)[1][0][0] for seed in range(20)} > {out[0][0]}


def test_two_people_are_too_few_to_hold_one_out() -> None:
    assert hold_out_people(["ana", "bo"], str, 1) == (["ana", "bo"], [])


def test_it_stops_after_its_patience_and_gives_the_best_back() -> None:
    model, control, best = (
        torch.nn.Linear(1, 1, bias=False),
        SimpleNamespace(should_training_stop=False),
        BestHeldOut(2),
    )
    for step, loss in ((10, 3.0), (20, 1.0), (30, 2.0), (40, 1.5)):
        assert not control.should_training_stop
        torch.nn.init.constant_(model.weight, float(step))
        best.on_evaluate(None, SimpleNamespace(global_step=step), control, model, {"eval_loss": loss})
    assert control.should_training_stop
    best.restore(model)
    assert (best.best_step, model.weight.item()) == (20, 20.0)


@pytest.fixture
def dialogues(tmp_path: Path) -> Path:
    path = tmp_path / "warm.jsonl"
    write_lines(
        [training_dialogue(index, person=name) for name in ("ana", "bo", "cy", "di") for index in range(2)], path
    )
    return path


def test_training_stops_early_and_its_card_says_who_was_held_out(
    base: Path, dialogues: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (held_out, settings):
        monkeypatch.setattr(module, "EVALUATE_EVERY", 4)
    job = AdapterJob("warm", base, "tiny", dialogues, tmp_path / "a", 3)
    data = read_dialogues(job, CONFIG)
    assert (len(data.rows), len(data.held_out), len(data.people), len(data.people_held_out)) == (6, 2, 3, 1)
    assert data.trained_on.dialogues == 6
    worse = replace(data, held_out=tuple(nonsense(row) for row in data.held_out))  # the more it learns, the worse
    trained = train_adapter(job, CONFIG, worse)
    assert trained.steps == 4
    assert trained.held_out_loss is not None
    card = (trained.path / CARD).read_text()
    assert f"| personas held out to know when to stop | {data.people_held_out[0]} |" in card
    assert "stopped at step 12, the held-out loss was least at 4" in card
    whole = train_adapter(replace(job, out=tmp_path / "b"), CONFIG.model_copy(update={"steps": 4}), worse)
    assert not same(whole.path, trained.path)  # another learning rate by the fourth step
    assert train_adapter(replace(job, out=tmp_path / "c"), CONFIG, worse).sha256 == trained.sha256


def test_without_patience_all_is_learned_from(base: Path, dialogues: Path, tmp_path: Path) -> None:
    job = AdapterJob("warm", base, "tiny", dialogues, tmp_path / "a", 3)
    data = read_dialogues(job, CONFIG.model_copy(update={"patience": 0}))
    assert (len(data.rows), data.held_out, data.people_held_out) == (8, (), ())


def test_a_batch_in_passes_learns_what_a_batch_at_once_does(
    base: Path, dialogues: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainingConfig(steps=6, batch_size=4, threads=1, learning_rate=1e-2)
    job = AdapterJob("warm", base, "tiny", dialogues, tmp_path / "whole", 3)
    whole = train_adapter(job, config)
    monkeypatch.setattr(settings.LoraSettings, "rows_a_pass", lambda self, longest: 2)
    parts = train_adapter(replace(job, out=tmp_path / "parts"), config)
    for name, tensor in load_file(whole.path / "adapter_model.safetensors").items():
        torch.testing.assert_close(
            tensor, load_file(parts.path / "adapter_model.safetensors")[name], atol=1e-4, rtol=1e-3
        )
    assert "gradients of 2 passes of 2 summed" in (parts.path / CARD).read_text()


def test_a_base_in_bfloat16_learns_too(base: Path, dialogues: Path, tmp_path: Path) -> None:
    job = AdapterJob("warm", base, "tiny", dialogues, tmp_path / "a", 3)
    config = TrainingConfig(steps=24, batch_size=4, threads=1, learning_rate=2e-2, dtype="bfloat16")
    trained = train_adapter(job, config)
    assert trained.final_loss < 0.6 * trained.first_loss
    assert {str(tensor.dtype) for tensor in load_file(trained.path / "adapter_model.safetensors").values()} == {
        "torch.float32"
    }
    assert "| numbers | the base in bfloat16, the LoRA in float32 |" in (trained.path / CARD).read_text()


def nonsense(row: dict[str, list[int]]) -> dict[str, list[int]]:
    """The row with other words where the assistant speaks: what training makes less likely."""
    return row | {"labels": [label if label < 0 else 6 + (label * 7) % 40 for label in row["labels"]]}


def same(one: Path, other: Path) -> bool:
    a, b = (load_file(path / "adapter_model.safetensors") for path in (one, other))
    return all(torch.equal(a[name], b[name]) for name in a)
