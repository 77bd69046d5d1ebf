"""holdfast from Python, and the same doors from the command line: run, replay, budgets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import holdfast
from holdfast import GenerationRequest, Message, Sampling, Study
from holdfast.core.errors import BudgetError, InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.journal.store import read_episodes
from tests.agents.models.langchain.test_tracing import Recorder
from tests.bench.endpoint import scripted_server
from tests.simulator.recorded import STUDY, record_run


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_run(tmp_path_factory.mktemp("old"))


def in_fresh_python(script: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_api_brings_nothing_heavy() -> None:
    script = "from holdfast import Study; import sys; print([m for m in %r if m in sys.modules])"
    assert in_fresh_python(script % (["torch", "transformers", "langgraph", "matplotlib", "scipy"],)) == "[]"


@pytest.mark.slow
def test_a_replay_loads_no_model(old: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from holdfast.simulator.cli.main import run_command as run; "
        "code = run(['run', sys.argv[1] + '/study.yaml', '--out', sys.argv[2], '--replay', sys.argv[1], '--quiet']); "
        "print(code, [m for m in ('torch', 'transformers', 'peft') if m in sys.modules])"
    )
    assert in_fresh_python(script, str(old), str(tmp_path)) == "0 []"
    assert read_episodes(tmp_path / "journal.sqlite") == read_episodes(old / "journal.sqlite")
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results["provenance"]["replayed"] is True
    assert (tmp_path / "report.html").exists()


def test_run_and_what_it_leaves(old: Path, tmp_path: Path) -> None:
    done = Study.from_yaml(old / "study.yaml").run(tmp_path, replay=old)
    assert set(done.results.candidates) == {"base", "system_prompt"}
    assert done.report.read_text(encoding="utf-8").startswith("<!")
    assert list(done.episodes()) == read_episodes(old / "journal.sqlite")


async def test_arun_in_a_loop_of_ones_own_with_a_handler(old: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    done = await Study.from_yaml(old / "study.yaml").arun(tmp_path, replay=old, callbacks=[recorder])
    assert done.results.episodes == 6
    assert {recorder.path(run).split(" > ")[-1] for run in recorder.names} >= {"user", "assistant"}


def test_a_study_from_settings_has_the_same_faults_as_one_from_yaml() -> None:
    assert Study.of(candidates=["base"], turns=3).config.turns == 3
    with pytest.raises(ValueError, match="base"):
        Study.of(candidates=["bose"])


def test_a_study_with_other_settings_is_checked_too() -> None:
    study = Study.of(candidates=["base", {"kind": "adapter", "adapter": "solver"}], turns=3)
    assert study.replace(turns=5) == Study.of(candidates=study.config.candidates, turns=5)
    assert study.replace(turns=3) == study
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        study.replace(turns=0)


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(holdfast, name) is not None for name in holdfast.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Studdy'"):
        _ = holdfast.Studdy


def test_the_api_runs_without_the_command_line() -> None:
    """Progress on standard error included: the viewer stands below both."""
    script = "import holdfast, holdfast.simulator.runtime.pipeline, holdfast.simulator.monitor.viewer as v, sys; "
    script += "v.viewer(quiet=False); print([m for m in sys.modules if m.startswith('holdfast.simulator.cli')])"
    assert in_fresh_python(script) == "[]"


def test_logs_are_measured_as_the_command_does(old: Path, tmp_path: Path) -> None:
    results = holdfast.measure([old], tmp_path, format="journal", by=["candidate"])
    assert set(results.groups) == {"base", "system_prompt"}
    assert (tmp_path / "report.html").exists()


async def test_a_model_is_opened_by_what_a_study_calls_it() -> None:
    request = GenerationRequest(
        "c", (Message("user", "I am tired of the report."),), 1, sampling=Sampling(max_tokens=8)
    )
    made = await holdfast.open_model("micro").generate(request)
    assert 0 < made.completion_tokens <= 8
    with pytest.raises(InputError, match="unknown model reference 'mikro'"):
        holdfast.open_model("mikro")


def test_a_replay_needs_a_folder_of_its_own(old: Path) -> None:
    with pytest.raises(InputError, match="a replay needs a run folder of its own"):
        Study.from_yaml(old / "study.yaml").run(old, replay=old)


def test_a_budget_ends_the_command_with_its_own_code(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", str(old / "study.yaml"), "--replay", str(old), "--out", str(tmp_path), "--quiet"]
    assert run_command([*command, "--max-tokens", "100"]) == 3
    told = capsys.readouterr().err
    assert "stopped: the budget of 100 tokens is spent" in told
    assert f"holdfast report {tmp_path} shows what there is" in told
    assert run_command(["status", str(tmp_path)]) == 0
    assert "stopped (the budget of 100 tokens is spent)" in capsys.readouterr().out
    assert run_command(["report", str(tmp_path)]) == 0  # of what there is
    shown = capsys.readouterr().out
    unfinished = sum(episode.unfinished for episode in read_episodes(tmp_path / "journal.sqlite"))
    assert 0 < unfinished <= 6
    assert f"Not over yet: {unfinished} of 6 conversations are unfinished" in shown
    assert f"{unfinished} of 6 conversations are unfinished" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert run_command([*command, "--resume"]) == 0
    assert "Not over yet" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert read_episodes(tmp_path / "journal.sqlite") == read_episodes(old / "journal.sqlite")


def test_a_budget_from_python(old: Path, tmp_path: Path) -> None:
    study = Study.from_yaml(old / "study.yaml")
    limited = Study(study.config.model_copy(update={"budget": study.config.budget.model_copy(update={"tokens": 1})}))
    with pytest.raises(BudgetError, match="1 tokens"):
        limited.run(tmp_path, replay=old)


def test_a_study_over_an_endpoint_stops_at_its_money_and_tells_what_it_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every second request meets a fault; prices are dollars per million tokens, so $1,000 is $0.001 a token."""
    prices = {"prompt": 1000.0, "completion": 1000.0}
    with scripted_server("--fault-rate", "0.5", "--seed", "3", "--patience", "0.1") as url:
        model = {"ref": "openai:some-model", "base_url": url, "prices": prices, "retries": 10}
        study = Study.of(**STUDY, model=model, budget={"cost_usd": 0.5})
        with pytest.raises(BudgetError, match=r"the budget of \$0.5 is spent"):
            study.run(tmp_path)
        assert run_command(["status", str(tmp_path), "--json"]) == 0
        early = json.loads(capsys.readouterr().out)
        assert 0.5 <= early["counters"]["cost_usd"] < 5
        assert early["counters"]["retries"] > 0
        assert early["state"] == "stopped"
        richer = Study.of(**STUDY, model=model)
        done = richer.run(tmp_path, resume=True)
        assert run_command(["status", str(tmp_path), "--json"]) == 0
        late = json.loads(capsys.readouterr().out)
    assert done.results.failed_episodes == 0
    assert late["turns"] == 36
    assert late["counters"]["answered"] == 36  # both calls together, no turn asked for twice
    assert late["counters"]["cost_usd"] == pytest.approx(late["tokens"] / 1000)
