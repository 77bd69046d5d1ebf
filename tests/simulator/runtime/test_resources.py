"""Which model hears of which adapters: the local ones load them, a server knows them or is told."""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import BudgetError, InputError
from holdfast import Study
from holdfast.simulator.runtime.resources import experts_in, need_experts, open_resources
from holdfast.simulator.config.study import StudyConfig
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


def study(server: ScriptedServer, adapters: Path, base: Path, **model: Any) -> StudyConfig:
    served = {"ref": "openai:m", "base_url": server.base_url, **model}
    here = {"kind": "adapter", "adapter": "warm", "name": "here", "model": f"hf:{base}"}
    candidates = ("base", {"kind": "adapter", "adapter": "warm"}, here)
    return StudyConfig.model_validate({"model": served, "candidates": candidates, "adapters": str(adapters)})


def test_one_study_may_have_an_adapter_here_and_there(base: Path, adapters: Path) -> None:
    with running(ScriptedServer(models=("m",))) as server:
        asked = study(server, adapters, base, load_adapters=True)
        house = open_resources(asked)
        experts, _ = experts_in(adapters)
        house.add_experts(experts)
        assert server.models == ("m", "warm")  # the server was told
    local = house.models[asked.candidates[2].model]  # type: ignore[index]
    assert local.adapters == ("warm",)  # type: ignore[attr-defined]
    inputs = house.inputs(experts)
    assert inputs["model openai:m"] == "served"
    assert len(inputs[f"model hf:{base}"]) == len(inputs["adapter warm"]) == 64
    with pytest.raises(InputError, match=r"adapters are trained on a model of this machine, not on openai:m at http"):
        _ = house.base


def test_a_server_may_know_its_adapters_without_a_folder(base: Path, tmp_path: Path) -> None:
    with running(ScriptedServer()) as server:
        asked = study(server, tmp_path, base)
        with pytest.raises(InputError, match="candidates here speak through adapters, and the study has none"):
            need_experts(asked, {})
        need_experts(asked.model_copy(update={"candidates": asked.candidates[:2]}), {})


async def test_the_local_adapter_speaks(base: Path, adapters: Path) -> None:
    async with ScriptedServer() as server:
        asked = study(server, adapters, base)
        house = open_resources(asked)
        experts, _ = experts_in(adapters)
        house.add_experts(experts)
        request = GenerationRequest("c", (Message("user", "w1 w2"),), 1, "warm", Sampling(0.0, 1.0, 4))
        there = await house.models[asked.model].generate(request)
        here = await house.models[asked.candidates[2].model].generate(request)  # type: ignore[index]
    assert there.text
    assert here.completion_tokens > 0


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
