from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.split import split_personas
from holdfast.adapters.dialogues.writing import TrainingPeople
from holdfast.adapters.experts import HELD_OUT_REPLICATES, TrainingBase, train_experts, training_inputs
from holdfast.adapters.routing.router import WordRouter
from holdfast.adapters.training import lora, settings
from holdfast.adapters.training.data import AdapterJob
from holdfast.adapters.training.finished import FinishedAdapters, training_sha256
from holdfast.adapters.training.store import AdapterStore
from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.core.errors import JournalError
from holdfast.core.hashing import sha256
from tests.adapters.standins import ScriptedModel, SorryRater, pattern, persona, task

WORLD = TrainingPeople(
    split_personas([persona(f"{name}_{i}", name) for name in ("alpha", "beta", "gamma") for i in "ab"], 0),
    {
        "alpha": task("alpha", "warm", "budget"),
        "beta": task("beta", "cool", "bug"),
        "gamma": task("gamma", "cool", "plan"),
    },
    {"warm": pattern("warm", 2, 0, 0), "cool": pattern("cool", 0, 0, 0)},
    EmbeddedUser,
)
CONFIG = TrainingConfig(dialogues_per_pattern=4, turns=3, min_turns=2, samples=4, steps=3, batch_size=2, threads=1)
REPLIES = ("i am so sorry about {topic} .", "now {topic} .")


async def test_the_whole_pipeline(base: Path, tmp_path: Path) -> None:
    stages: list[tuple[str, int, int]] = []
    outcome = await train_experts(
        CONFIG,
        WORLD,
        TrainingBase(ScriptedModel(REPLIES), base, "tiny"),
        SorryRater(),
        out=tmp_path,
        seed=1,
        progress=lambda *step: stages.append(step),
    )
    assert outcome.experts == {"alpha": "warm", "beta": "cool", "gamma": "cool"}
    store = AdapterStore(tmp_path / "adapters")
    assert store.names() == ("cool", "warm")
    for name in store.names():
        store.check(name, base)
    assert {file.name for file in (tmp_path / "dialogues").iterdir()} == {"cool.jsonl", "warm.jsonl", "counts.json"}
    router = WordRouter.load(tmp_path / "adapters" / "router.npz")
    assert router.tasks == ("alpha", "beta", "gamma")
    report = outcome.router_report
    assert report.personas == tuple(sorted(person.id for person in WORLD.split.test))
    assert (report.conversations, report.n) == (3 * HELD_OUT_REPLICATES, 3 * HELD_OUT_REPLICATES * CONFIG.turns)
    assert set(outcome.timings_s) == {"dialogues", "router", "training"}
    assert json.loads((tmp_path / "adapters" / "training.json").read_text())["experts"] == outcome.experts
    assert stages[0] == ("writing 8 dialogues turn by turn", 0, 8 * CONFIG.turns)
    trained_on = outcome.adapters["warm"].trained_on
    assert stages[-1] == (f"training warm (2 of 2) on {trained_on}", 3, 3)
    assert trained_on.dialogues == outcome.dialogues["warm"].counts.dialogues["kept"]


async def test_replicates_learn_from_the_same_dialogues_with_other_seeds(base: Path, tmp_path: Path) -> None:
    given = TrainingBase(ScriptedModel(REPLIES), base, "tiny")
    single = await train_experts(CONFIG, WORLD, given, SorryRater(), out=tmp_path / "one", seed=1)
    config = CONFIG.model_copy(update={"replicates": 3})
    outcome = await train_experts(config, WORLD, given, SorryRater(), out=tmp_path / "three", seed=1)
    names = ("cool", "cool-2", "cool-3", "warm", "warm-2", "warm-3")
    assert AdapterStore(tmp_path / "three" / "adapters").names() == names
    hashes = {name: outcome.adapters[name].sha256 for name in names}
    assert len(set(hashes.values())) == 6
    assert hashes["warm"] == single.adapters["warm"].sha256  # the first is that of a training without replicates
    assert {name: file.sha256 for name, file in outcome.dialogues.items()} == {
        name: file.sha256 for name, file in single.dialogues.items()
    }
    assert outcome.experts == single.experts


async def test_a_stopped_training_goes_on_after_the_adapters_that_it_had_finished(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = TrainingBase(ScriptedModel(REPLIES), base, "tiny")
    whole = await train_experts(CONFIG, WORLD, given, SorryRater(), out=tmp_path / "whole", seed=1)
    called: list[str] = []

    def stopped_at_the_second(job: AdapterJob, *rest: Any) -> lora.TrainedAdapter:
        called.append(job.name)
        if called == ["cool", "warm"]:
            raise KeyboardInterrupt
        return train_adapter(job, *rest)

    train_adapter = lora.train_adapter
    monkeypatch.setattr(lora, "train_adapter", stopped_at_the_second)
    out = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        await train_experts(CONFIG, WORLD, given, SorryRater(), out=out, seed=1)
    with (out / "adapters" / "finished.jsonl").open("a") as file:
        file.write('{"inputs": "half a li')
    again = await train_experts(CONFIG, WORLD, given, SorryRater(), out=out, seed=1)
    assert called == ["cool", "warm", "warm"]
    assert {name: adapter.sha256 for name, adapter in again.adapters.items()} == {
        name: adapter.sha256 for name, adapter in whole.adapters.items()
    }
    assert again.adapters["cool"].trained_on == whole.adapters["cool"].trained_on
    assert not (out / "adapters" / "finished.jsonl").exists()


@pytest.mark.parametrize("change", ["weights", "settings"])
async def test_what_was_finished_otherwise_is_trained_again(base: Path, tmp_path: Path, change: str) -> None:
    job = AdapterJob("warm", base, "tiny", Path(), tmp_path / "warm", 1)
    given = TrainingBase(ScriptedModel(REPLIES), base, "tiny")
    outcome = await train_experts(CONFIG, WORLD, given, SorryRater(), out=tmp_path / "run", seed=1)
    job = replace(job, dialogues=outcome.dialogues["warm"].path, out=outcome.adapters["warm"].path)
    data, finished = lora.read_dialogues(job, CONFIG), FinishedAdapters(tmp_path / "finished.jsonl")
    inputs = training_sha256(job, CONFIG, data)
    assert finished.get(job, inputs) is None
    finished.add(inputs, outcome.adapters["warm"])
    finished = FinishedAdapters(tmp_path / "finished.jsonl")
    assert finished.get(job, inputs) == outcome.adapters["warm"]
    config = CONFIG
    if change == "weights":
        (job.out / "adapter_model.safetensors").write_bytes(b"other")
    else:
        config = CONFIG.model_copy(update={"steps": 4})
    assert finished.get(job, training_sha256(job, config, data)) is None


async def test_other_adapters_are_trained_from_the_same_drafts(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smallest = replace(settings.BY_SIZE[0], parameters=1.0)  # so that the tiny base counts as a real one
    monkeypatch.setattr(settings, "BY_SIZE", (smallest, *settings.BY_SIZE[1:]))
    config = CONFIG.model_copy(update={"patterns": ("warm",), "steps": 1, "dtype": "float32"})
    model = ScriptedModel(REPLIES)
    given = (WORLD, TrainingBase(model, base, "tiny"), SorryRater())
    first = await train_experts(config, *given, out=tmp_path, seed=1)
    asked = len(model.asked)
    more = config.model_copy(update={"steps": 2, "rank": 4, "method": "dpo", "dialogues_per_pattern": 3})
    second = await train_experts(more, *given, out=tmp_path, seed=1)
    assert len(model.asked) == asked
    assert second.adapters["warm"].method == "dpo"
    assert "lora" in second.inputs
    assert first.inputs["lora"] != second.inputs["lora"]
    with pytest.raises(JournalError, match=r"follow from something else: seed changed"):
        await train_experts(config, *given, out=tmp_path, seed=2)


async def test_one_wanted_pattern_gives_one_expert(base: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"patterns": ("warm",), "steps": 1})
    model = ScriptedModel(REPLIES)
    outcome = await train_experts(config, WORLD, TrainingBase(model, base, "tiny"), SorryRater(), out=tmp_path, seed=1)
    assert outcome.experts == {"alpha": "warm"}
    assert set(outcome.adapters) == {"warm"}
    assert set(outcome.router_report.confusion) == {"alpha"}


async def test_a_router_that_nobody_asks_is_not_tested_and_the_same(base: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"steps": 1})
    asked = dict[bool, list[str]]()
    for tested in (True, False):
        model, out = ScriptedModel(REPLIES), tmp_path / str(tested)
        given = TrainingBase(model, base, "tiny")
        outcome = await train_experts(config, WORLD, given, SorryRater(), out=out, seed=1, test_router=tested)
        asked[tested] = [request.key for request in model.asked if request.key.startswith("held-out/")]
        assert bool(asked[tested]) == tested == (outcome.router_report.accuracy is not None)
    routers = [(tmp_path / name / "adapters" / "router.npz").read_bytes() for name in ("True", "False")]
    assert routers[0] == routers[1]
    assert json.loads((tmp_path / "False" / "adapters" / "training.json").read_text())["router"]["accuracy"] is None


async def test_another_model_may_write_the_dialogues(base: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"patterns": ("warm",), "steps": 1})
    writer = ScriptedModel(("i am so very sorry about {topic} .",))
    outcome = await train_experts(
        config, WORLD, TrainingBase(ScriptedModel(REPLIES), base, "tiny", writer), SorryRater(), out=tmp_path, seed=1
    )
    said = outcome.dialogues["warm"].path.read_text(encoding="utf-8")
    assert "i am so very sorry about" in said
    assert "i am so sorry about" not in said
    assert outcome.adapters["warm"].path.is_dir()  # and the base is what was trained


async def test_several_trainings_of_an_adapter_learn_the_same_dialogues_from_other_seeds(
    base: Path, tmp_path: Path
) -> None:
    config = CONFIG.model_copy(update={"patterns": ("warm",), "steps": 1})
    model = ScriptedModel(REPLIES)

    async def trained(count: int, out: Path) -> dict[str, str]:
        settings = config.model_copy(update={"replicates": count})
        source = TrainingBase(model, base, "tiny")
        outcome = await train_experts(settings, WORLD, source, SorryRater(), out=out, seed=1)
        assert AdapterStore(out / "adapters").names() == tuple(outcome.adapters)
        assert [*outcome.dialogues] == ["warm"]
        return {name: adapter.sha256 for name, adapter in outcome.adapters.items()}

    alone, thrice = await trained(1, tmp_path / "one"), await trained(3, tmp_path / "three")
    assert [*thrice] == ["warm", "warm-2", "warm-3"]
    assert thrice["warm"] == alone["warm"]  # the first is what a study without replicates trains
    assert len(set(thrice.values())) == 3
    cards = [(tmp_path / "three" / "adapters" / name / "README.md").read_text() for name in thrice]
    assert all("empathy pattern *warm*" in card for card in cards)


def test_one_training_is_what_older_records_mean(base: Path) -> None:
    inputs = [
        training_inputs(config, WORLD, TrainingBase(ScriptedModel(REPLIES), base, "tiny"), SorryRater(), 1)["training"]
        for config in (CONFIG, CONFIG.model_copy(update={"replicates": 2}))
    ]
    assert "replicates" not in inputs[0]
    assert inputs[1] == {**inputs[0], "replicates": 2}


async def test_a_pattern_that_says_nothing_new_has_the_hash_that_older_drafts_have(base: Path) -> None:
    given = TrainingBase(ScriptedModel(REPLIES), base, "tiny")
    inputs = training_inputs(CONFIG, WORLD, given, SorryRater(), 1)["patterns"]
    warm = WORLD.patterns["warm"]
    known = ("id", "title", "description", "assumption", "target", "advice")
    old = json.dumps({name: warm.model_dump()[name] for name in known}, separators=(",", ":"))
    assert inputs == {"warm": sha256(pattern_prompt(warm) + old)} | {"cool": inputs["cool"]}
