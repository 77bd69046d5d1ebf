"""Which model hears of which adapters: the local ones load them, a server knows them or is told."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from holdfast import Study
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import BudgetError, InputError, ModelError
from holdfast.core.hashing import sha256
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.runtime.adapters import adapters_in, check_adapters
from holdfast.simulator.runtime.provenance import inputs_of
from holdfast.simulator.runtime.resources import open_resources
from holdfast.simulator.runtime.session import session_of
from tests.agents.models.conftest import CONFIGS, build_adapter, build_model
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(CONFIGS["llama"], tmp_path_factory.mktemp("base") / "llama")


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    build_adapter(base, folder / "warm", 11)
    return folder


def study(server: ScriptedServer, adapters: Path | None, base: Path, **model: Any) -> Plan:
    """The bare model and an adapter on ``server``, and the same adapter on this machine."""
    served = {"ref": "openai:m", "base_url": server.base_url, **model}
    here = {"kind": "adapter", "adapter": "warm", "name": "here", "model": f"hf:{base}"}
    fields = {"model": served, "candidates": ("base", {"kind": "adapter", "adapter": "warm"}, here)}
    folder = {} if adapters is None else {"adapters": str(adapters)}
    return resolve(StudyConfig.model_validate(fields | folder))


async def test_one_study_may_have_an_adapter_here_and_there(base: Path, adapters: Path) -> None:
    async with ScriptedServer(models=("m",)) as server:
        plan = study(server, adapters, base, load_adapters=True)
        check_adapters(plan)
        resources = await open_resources(plan).with_adapters(*adapters_in(adapters))
        assert server.models == ("m", "warm")  # the server was told
    local = resources.models[plan.study.candidates[2].model]  # type: ignore[index]
    assert local.adapters == ("warm",)  # type: ignore[attr-defined]
    inputs = inputs_of(resources, resources.candidates())
    assert inputs["model openai:m"] == "served"
    assert len(inputs[f"model hf:{base}"]) == len(inputs["adapter warm"]) == 64
    with pytest.raises(InputError, match=r"adapters are trained on a model of this machine, not on openai:m at http"):
        _ = resources.base


def test_a_server_may_know_its_adapters_without_a_folder(base: Path) -> None:
    plan = study(ScriptedServer(), None, base)
    with pytest.raises(InputError, match="candidates here speak through adapters, and the study has none"):
        check_adapters(plan)
    check_adapters(replace(plan, study=plan.study.model_copy(update={"candidates": plan.study.candidates[:2]})))


async def test_what_no_candidate_names_is_not_loaded(base: Path, adapters: Path, tmp_path: Path) -> None:
    """A DoRA beside the adapter that a candidate names."""
    shutil.copytree(adapters, tmp_path / "adapters")
    dora = shutil.copytree(adapters / "warm", tmp_path / "adapters" / "dora") / "adapter_config.json"
    dora.write_text(json.dumps(json.loads(dora.read_text()) | {"use_dora": True}))
    async with ScriptedServer() as server:
        plan = study(server, tmp_path / "adapters", base)
        named, _ = adapters_in(tmp_path / "adapters", plan)
        assert set(named) == {"warm"}
        resources = open_resources(plan)
        assert set(inputs_of(resources, resources.candidates())) >= {f"model hf:{base}"}
        for given in (named, adapters_in(tmp_path / "adapters")[0]):
            assert set((await resources.with_adapters(given, None)).adapters) == {"warm"}
        dora_named = plan.study.candidates[2].model_copy(update={"adapter": "dora"})
        plan = replace(plan, study=plan.study.model_copy(update={"candidates": (dora_named,)}))
        with pytest.raises(ModelError, match=r"DoRA .use_dora: true.; only plain LoRA"):
            await replace(resources, plan=plan).with_adapters(*adapters_in(tmp_path / "adapters", plan))


def test_an_adapter_that_no_candidate_names_neither_stops_a_study_nor_changes_a_word(
    base: Path, adapters: Path, tmp_path: Path
) -> None:
    """Beside the one that a candidate names: one that changes the base, a damaged one, and one of another base."""
    many = shutil.copytree(adapters, tmp_path / "many")
    settings = LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights="pissa", task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), settings).save_pretrained(
        many / "pissa"
    )
    damaged = shutil.copytree(adapters / "warm", many / "damaged") / "adapter_model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:100])
    build_adapter(build_model(CONFIGS["qwen3"], tmp_path / "other"), many / "foreign", 5)
    fields = {
        "model": f"hf:{base}",
        "turns": 2,
        "personas": {"ids": ["jun_park"]},
        "sampling": {"max_tokens": 8},
        "candidates": ["base", {"kind": "adapter", "adapter": "warm"}],
    }
    alone, beside = (
        Study.of(**fields, adapters=str(folder)).run(tmp_path / f"run-{folder.name}").results
        for folder in (adapters, many)
    )
    assert alone.failed_episodes == beside.failed_episodes == 0
    assert alone.transcripts_sha256 == beside.transcripts_sha256
    named = {**fields, "candidates": ["base", {"kind": "adapter", "adapter": "pissa"}]}
    with pytest.raises(ModelError, match="init_lora_weights='pissa', which changes the base"):
        Study.of(**named, adapters=str(many)).run(tmp_path / "named")


async def test_the_local_adapter_speaks(base: Path, adapters: Path) -> None:
    async with ScriptedServer() as server:
        plan = study(server, adapters, base)
        resources = await open_resources(plan).with_adapters(*adapters_in(adapters))
        request = GenerationRequest("c", (Message("user", "w1 w2"),), 1, "warm", Sampling(0.0, 1.0, 4))
        there = await resources.model(None).generate(request)
        here = await resources.model(plan.study.candidates[2].model).generate(request)
    assert there.text
    assert here.completion_tokens > 0


def test_what_candidates_put_before_a_conversation_is_in_the_provenance(base: Path, adapters: Path) -> None:
    prompted = {"kind": "system_prompt", "prompt": "Be kind."}
    plan = resolve(StudyConfig.model_validate({"model": f"hf:{base}", "candidates": ["base", prompted]}))
    session = session_of(open_resources(plan))
    assert session.provenance["system_prompts"] == {"system_prompt": {"own": sha256("Be kind.")}}


@pytest.mark.parametrize("budget", [{}, {"tokens": 1}], ids=["to the end", "broken off"])
def test_a_response_cache_is_closed_however_the_run_ends(budget: dict[str, int], tmp_path: Path) -> None:
    """SQLite tidies up beside its file when the last connection is closed."""
    with running(ScriptedServer()) as server:
        model = {"ref": "openai:m", "base_url": server.base_url, "cache": str(tmp_path / "answers.sqlite")}
        study = Study.of(
            model=model, personas={"ids": ["jun_park"]}, candidates=["base"], turns=2, concurrency=1, budget=budget
        )
        with pytest.raises(BudgetError) if budget else nullcontext():
            study.run(tmp_path / "run")
    assert {path.name for path in tmp_path.iterdir()} == {"run", "answers.sqlite"}
    with sqlite3.connect(tmp_path / "answers.sqlite") as db:
        assert db.execute("SELECT count(*) FROM answers").fetchone() == (1 if budget else 2,)
