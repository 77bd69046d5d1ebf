"""The same study here and on a cluster of two workers, one of which is killed half-way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from holdfast import Study
from holdfast.adapters.micro import base_path
from holdfast.agents.models.references import resolve_model
from holdfast.agents.models.spec import ModelSpec
from holdfast.core.errors import BudgetError, ModelError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.engine.budget import BudgetSpec
from holdfast.simulator.engine.run import RunOutcome
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.monitor.progress import NoProgress
from holdfast.simulator.monitor.status import StatusReader
from holdfast.simulator.runtime.executor import LOCAL, Executor
from holdfast.simulator.runtime.resources import open_resources
from holdfast.simulator.runtime.session import session_of
from tests.agents.models.conftest import build_adapter
from tests.agents.models.langchain.test_tracing import Recorder
from tests.servers.faults import Faults
from tests.servers.langsmith import langsmith
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running
from tests.simulator.engine.studies import run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ray = pytest.importorskip("ray", reason="Ray is not installed (pip install 'holdfast[ray]')")
TURNS, EPISODES = 6, 12
GONE = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_adapter(base_path(), tmp_path_factory.mktemp("adapters") / "solver", seed=5)


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head that runs nothing, and two workers of one core."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def plan() -> Plan:
    ids = ("amara_okafor", "diego_fuentes", "jun_park")
    candidates = ("base", "system_prompt", {"kind": "adapter", "adapter": "solver"}, {"name": "w", "kind": "base"})
    fields = {"personas": {"ids": ids}, "candidates": candidates, "turns": TURNS, "seed": 5, "batch_size": 4}
    return resolve(StudyConfig.model_validate(fields))


def hold(plan: Plan, executor: Executor, adapter: Path, out: Path, **options: Any) -> RunOutcome:
    resources = open_resources(plan, executor)
    resources.models[plan.study.model].add_adapter("solver", adapter)
    return run(session_of(resources), out, **options)


@dataclass
class Notes(NoProgress):
    """Remembers what the user would read, and does something at half-time."""

    half: Any = None
    turns: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def advance(self, turns: int = 1) -> None:
        self.turns += turns
        if self.turns == TURNS * EPISODES // 2 and self.half is not None:
            threading.Thread(target=self.half).start()


@pytest.fixture(scope="module")
def calm(adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The transcripts without Ray."""
    out = tmp_path_factory.mktemp("calm")
    hold(plan(), LOCAL, adapter, out)
    return transcripts_sha256(read_episodes(out / "journal.sqlite"))


def check(out: Path, calm: str) -> None:
    episodes = read_episodes(out / "journal.sqlite")
    assert [episode.error for episode in episodes] == [None] * EPISODES
    # The journal's key is (episode, turn), so a turn twice would have been an error; none is missing either.
    assert [[turn.turn for turn in episode.turns] for episode in episodes] == [list(range(1, TURNS + 1))] * EPISODES
    assert transcripts_sha256(episodes) == calm


def test_a_worker_is_killed_half_way(cluster: Any, calm: str, adapter: Path, tmp_path: Path) -> None:
    from holdfast.simulator.on_ray.cluster import ray_executor

    victim = cluster.list_all_nodes()[1]
    progress = Notes(half=lambda: cluster.remove_node(victim, allow_graceful=False))
    with ray_executor(cluster.address, engines=2) as executor:
        outcome = hold(plan(), executor, adapter, tmp_path / "run", progress=progress)
    assert (outcome.turns, outcome.failed) == (TURNS * EPISODES, 0)
    check(tmp_path / "run", calm)
    # Whether conversations stood on the dead node, or an engine only, is Ray's to choose: no note need be there.
    assert all(note.startswith("a Ray worker was lost") for note in progress.notes)


def test_stopping_and_going_on(cluster: Any, calm: str, adapter: Path, tmp_path: Path) -> None:
    """Ctrl-C finishes the turns in flight; the rest is held here, without Ray."""
    import os
    import signal

    from holdfast.simulator.on_ray.cluster import ray_executor

    progress = Notes(half=lambda: os.kill(os.getpid(), signal.SIGINT))
    with ray_executor(cluster.address, engines=1) as executor, pytest.raises(KeyboardInterrupt):
        hold(plan(), executor, adapter, tmp_path / "run", progress=progress)
    with Journal.read(tmp_path / "run" / "journal.sqlite") as journal:
        kept = journal.count().turns
    assert TURNS * EPISODES // 2 <= kept < TURNS * EPISODES
    hold(plan(), LOCAL, adapter, tmp_path / "run", resume=True)
    check(tmp_path / "run", calm)


def test_what_workers_count_comes_home_and_holds_the_budget(cluster: Any, tmp_path: Path) -> None:
    """Prices are dollars per million tokens, so $1,000 is $0.001 a token; a third of the requests meets a fault."""
    from holdfast.simulator.on_ray.cluster import ray_executor

    with running(ScriptedServer(Faults(0.3, seed=4), patience_s=1.2, retry_after_s=0.05, down_s=0.1)) as server:
        prices = {"prompt": 1000.0, "completion": 1000.0}
        model = {"ref": "openai:m", "base_url": server.base_url, "prices": prices, "timeout_s": 1, "retries": 20}
        fields = {"model": model, "personas": {"tasks": ["bug_hunt"]}, "candidates": ["base", "system_prompt"]}
        study = StudyConfig.model_validate({**fields, "turns": TURNS, "concurrency": 3})
        limited = study.model_copy(update={"budget": BudgetSpec(cost_usd=0.5)})
        with ray_executor(cluster.address, engines=2) as executor:
            spent = pytest.raises(BudgetError, match=r"the budget of \$0.5 is spent")
            with spent, pytest.warns(UserWarning, match="callbacks hear nothing of conversations on Ray workers"):
                Study(limited).run(tmp_path, executor=executor, callbacks=[Recorder()])
            early = StatusReader(tmp_path).look()
            Study(study).run(tmp_path, resume=True, executor=executor)
        late = StatusReader(tmp_path).look()
    assert early.counters["cost_usd"] >= 0.5
    assert early.turns < 12 * TURNS
    assert late.turns == late.counters["answered"] == 12 * TURNS
    assert late.counters["cost_usd"] == pytest.approx(late.tokens / 1000)
    assert late.counters["retries"] == sum(n for name, n in late.counters.items() if name.startswith("retries: ")) > 0


@pytest.mark.parametrize("rater", ["linear", "judge"])
def test_an_endpoint_that_never_answers_stops_the_run(
    cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], rater: str
) -> None:
    """One conversation at a time: the first meets the dead endpoint, and the others are still owed."""
    with running(ScriptedServer()) as server:
        dead = {"ref": "openai:m", "base_url": GONE}
        judge = {"kind": "judge", "model": "openai:j", "base_url": GONE}
        fields: dict[str, Any] = {"personas": {"ids": ["jun_park"]}, "candidates": ["base"], "replicates": 6}
        fields |= {"turns": 2, "concurrency": 1, "model": dead}
        if rater == "judge":
            fields |= {"model": {"ref": "openai:m", "base_url": server.base_url}, "raters": [judge]}
        (tmp_path / "study.yaml").write_text(json.dumps(fields), encoding="utf-8")
        command = ["run", str(tmp_path / "study.yaml"), "--out", str(tmp_path / "run"), "--quiet"]
        assert run_command([*command, "--on", "ray", "--address", cluster.address]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("loading models: ")]
    cause = f"{GONE} did not answer in 4 tries, the last: no connection (connection refused: 127.0.0.1:9)"
    assert said[0].startswith(f"error: {cause}")
    assert "0 of 6 conversations came to an end, 1 failed" in said[1]
    assert StatusReader(tmp_path / "run").look().state == "failed"


def test_langsmith_hears_workers_by_the_variables_of_their_machine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from holdfast.simulator.on_ray.cluster import ray_executor

    with langsmith() as posted, running(ScriptedServer()) as server:
        monkeypatch.setenv("LANGSMITH_TRACING", "true")
        monkeypatch.setenv("LANGSMITH_ENDPOINT", posted.url)
        monkeypatch.setenv("LANGSMITH_API_KEY", "of these machines")
        cluster = request.getfixturevalue("cluster")
        for name in ("TRACING", "ENDPOINT", "API_KEY"):
            monkeypatch.delenv(f"LANGSMITH_{name}")  # the driver has none
        model = {"ref": "openai:m", "base_url": server.base_url}
        study = Study.of(model=model, personas={"ids": ["jun_park"]}, candidates=["base", "system_prompt"], turns=3)
        with ray_executor(cluster.address, engines=1) as executor:
            study.run(tmp_path, executor=executor)
    turns = [turn for episode in read_episodes(tmp_path / "journal.sqlite") for turn in episode.turns]
    assert len(turns) == 6
    assert posted.keys == {"of these machines"}
    for turn in turns:
        assert json.dumps(turn.reply)[1:-1] in posted.text


def test_a_study_that_says_cpu_stays_off_the_gpu() -> None:
    """Ray believes in a GPU that this machine does not have, so an engine that was sent to it could not start."""
    if torch.cuda.is_available():
        pytest.skip("needs a machine without a GPU")
    from holdfast.simulator.on_ray.cluster import ray_executor

    ray.init(num_cpus=1, num_gpus=1, include_dashboard=False, log_to_driver=False)
    try:
        with ray_executor(None, engines=None) as executor:
            for device in ("cpu", "auto"):
                executor.load(resolve_model(ModelSpec(ref="micro", device=device), base_path()), 4)
            with pytest.raises(ModelError, match=r"could not be loaded on its Ray actor: .*(CUDA|NVIDIA)"):
                executor.load(resolve_model("micro", base_path()), 4)
    finally:
        ray.shutdown()
