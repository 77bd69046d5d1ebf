from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.engine.rounds import mean_felt, next_round, population_json, worlds
from holdfast.simulator.journal.store import read_episodes
from holdfast.simulator.records import EpisodeRecord
from tests.simulator.engine.studies import run, session, study, transcripts
from tests.simulator.scripted import HashModel


def rounds(own: float = 0.5, neighbours: float = 0.0, number: int = 3, **changes: object):  # type: ignore[no-untyped-def]
    population = {"graph": {"kind": "ring"}, "spread": {"own": own, "neighbours": neighbours}}
    return study(population=population, rounds=number, turns=3, **changes)


def desired(episode: EpisodeRecord) -> float:
    return float(episode.turns[0].state["desired"])


def test_what_was_felt_moves_the_next_rounds_expectation(tmp_path: Path) -> None:
    plan = rounds(own=0.5)
    run(session(plan), tmp_path)
    by_id = {e.spec.id: e for e in read_episodes(tmp_path / "journal.sqlite")}
    checked = 0
    for episode in by_id.values():
        spec = episode.spec
        before = by_id.get(f"{spec.candidate}/{spec.agent}/1/3/{spec.round - 1}")
        if before is not None:
            assert desired(episode) == pytest.approx((desired(before) + mean_felt(before)) / 2)
            checked += 1
    assert checked == 3 * 3 * 2


def test_each_candidate_has_a_world_of_its_own(tmp_path: Path) -> None:
    plan = rounds()
    run(session(plan), tmp_path)
    last = [e for e in read_episodes(tmp_path / "journal.sqlite") if e.spec.round == 2]
    assert len({desired(e) for e in last}) == len(last) == 9


def test_resume_of_the_last_round_equals_calm(tmp_path: Path) -> None:
    plan = rounds(neighbours=0.3)
    run(session(plan), tmp_path / "calm")
    run(session(plan, HashModel(fail="/3/2")), tmp_path / "failed")
    assert run(session(plan), tmp_path / "failed", resume=True).failed == 0
    assert transcripts(tmp_path / "failed") == transcripts(tmp_path / "calm")


def test_what_failed_before_later_rounds_stays_part_of_their_past(tmp_path: Path) -> None:
    plan = rounds(neighbours=0.3)
    run(session(plan, HashModel(fail="jun_park/1/3/0")), tmp_path)
    before = transcripts(tmp_path)
    assert run(session(plan), tmp_path, resume=True).failed == 3
    assert transcripts(tmp_path) == before


def test_ctrl_c_in_a_round_and_resume_equals_calm(tmp_path: Path) -> None:
    class Interrupting(HashModel):
        async def generate(self, request: GenerationRequest) -> Generation:
            if len(self.requests) == 40:  # of 27 turns a round: in the second
                os.kill(os.getpid(), signal.SIGINT)
            return await super().generate(request)

    plan = rounds(neighbours=0.3)
    run(session(plan), tmp_path / "calm")
    with pytest.raises(KeyboardInterrupt):
        run(session(plan, Interrupting()), tmp_path / "broken")
    run(session(plan), tmp_path / "broken", resume=True)
    assert transcripts(tmp_path / "broken") == transcripts(tmp_path / "calm")


def test_no_population_no_worlds() -> None:
    plan = study()
    assert worlds(plan) == {}
    assert next_round({}, []) == {}
    assert population_json(plan, [], "base") is None


def drawn_after(plan: Plan, out: Path) -> tuple[list[EpisodeRecord], dict[str, Any]]:
    """The conversations of a study, and the graph that its report draws."""
    run(session(plan), out)
    episodes = list(read_episodes(out / "journal.sqlite"))
    drawn = population_json(plan, episodes, "base")
    assert drawn is not None
    return episodes, drawn


def test_the_graph_for_the_report(tmp_path: Path) -> None:
    episodes, drawn = drawn_after(rounds(number=1), tmp_path)
    felt = {e.spec.agent: mean_felt(e) for e in episodes if e.spec.candidate == "base"}
    assert {node["id"]: node["felt"] for node in drawn["nodes"]} == pytest.approx(felt)
    assert len(drawn["edges"]) == 3


def test_what_was_expected_and_felt_by_round(tmp_path: Path) -> None:
    plan = rounds(number=2)
    episodes, drawn = drawn_after(plan, tmp_path)
    assert drawn["candidate"] == "base"
    assert [(each["candidate"], each["round"]) for each in drawn["rounds"]] == [
        (name, number) for name in plan.study.candidate_names for number in (1, 2)
    ]
    met = [e for e in episodes if (e.spec.candidate, e.spec.round) == ("base", 1)]
    last = drawn["rounds"][1]
    assert last["desired"] == pytest.approx(sum(map(desired, met)) / 3)
    assert last["felt"] == pytest.approx(sum(map(mean_felt, met)) / 3)
    starts = {each["desired"] for each in drawn["rounds"] if each["round"] == 1}
    assert len(starts) == 1  # all begin alike
