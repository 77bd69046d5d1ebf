"""Budgets stop a run cleanly: what is in flight is kept, and a resume goes on to the transcripts of a calm run."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.agents.models.spec import Prices
from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import BudgetError
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.heartbeat import read_heartbeat
from tests.simulator.engine.studies import run, session, study, transcripts
from tests.simulator.scripted import HashModel


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("calm")
    plan = study()
    run(session(plan), out)
    return transcripts(out)


def kept_turns(out: Path) -> int:
    with Journal.read(out / "journal.sqlite") as journal:
        return journal.count().turns


def test_a_token_budget_counts_over_all_resumes(tmp_path: Path, calm: str) -> None:
    """A reply of turn t has 8 x (2t - 1) prompt tokens, or 8 more with a system prompt, and 8 of its own."""
    plan = study(budget={"tokens": 500}, batch_size=1)
    with pytest.raises(BudgetError, match=r"the budget of 500 tokens is spent; \d+ turns are kept and \d+ conv"):
        run(session(plan), tmp_path)
    with Journal.read(tmp_path / "journal.sqlite") as journal:
        assert 500 <= journal.tokens() < 500 + 8 * 13  # no turn after the one that spent it
    spent = kept_turns(tmp_path)
    with pytest.raises(BudgetError, match="500 tokens"):
        run(session(plan), tmp_path, resume=True)
    assert kept_turns(tmp_path) <= spent + 1
    more = study(budget={"tokens": 100_000})  # a budget is no part of what a study finds
    run(session(more), tmp_path, resume=True)
    assert transcripts(tmp_path) == calm


def test_minutes_stop_a_run_whose_endpoint_is_slow(tmp_path: Path, calm: str) -> None:
    plan = study(budget={"minutes": 0.2 / 60})
    with pytest.raises(BudgetError, match=r"stopped: the budget of 0.00333333 minutes is spent"):
        run(session(plan, HashModel(pause=0.2)), tmp_path)
    assert kept_turns(tmp_path) < 54
    plain = study()
    run(session(plain), tmp_path, resume=True)
    assert transcripts(tmp_path) == calm


def test_money_is_what_the_models_count(tmp_path: Path) -> None:
    """10 prompt tokens at $25,000 a million: a quarter of a dollar a reply."""

    class Dear(HashModel):
        def __init__(self) -> None:
            super().__init__()
            self.usage = Usage(Prices(prompt=25_000.0, completion=0.0))

        async def generate(self, request: GenerationRequest) -> Generation:
            made = Generation((await super().generate(request)).text, 10, 2)
            self.usage.requests += 1
            self.usage.answer(made)
            return made

    plan, model = study(budget={"cost_usd": 2.0}, batch_size=1), Dear()
    with pytest.raises(BudgetError, match=r"the budget of \$2 is spent"):
        run(session(plan, model, usage=(model.usage,)), tmp_path)
    assert len(model.requests) == 8  # 8 x $0.25
    with Journal.read(tmp_path / "journal.sqlite") as journal:
        heartbeat = read_heartbeat(journal.meta())
    assert heartbeat is not None
    assert (heartbeat.counters["cost_usd"], heartbeat.counters["requests"]) == (2.0, 8)
    assert heartbeat.state == "stopped: the budget of $2 is spent"
    richer, again = study(budget={"cost_usd": 3.0}, batch_size=1), Dear()
    with pytest.raises(BudgetError, match=r"\$3"):
        run(session(richer, again, usage=(again.usage,)), tmp_path, resume=True)
    assert len(again.requests) == 4  # $2 of the first call and $1 of this one


def test_a_budget_that_is_spent_with_the_last_turn_stops_nothing(tmp_path: Path) -> None:
    plan = study()
    with Journal.read(run(session(plan), tmp_path / "calm").journal) as journal:
        tokens = journal.tokens()
    exact = study(budget={"tokens": tokens})
    assert run(session(exact), tmp_path / "exact").turns == 54
