"""Model-driven users in the conversation: what they know stays with them, and a study may mix them with others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from holdfast.agents.assistants.candidates import SingleModel
from holdfast.agents.protocols import GenerationRequest
from holdfast.agents.users.llm.agent import ModelUser
from holdfast.core.errors import JournalError
from holdfast.simulator.cli.studies.summary import played_by
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.conversation.graph import config, graph
from holdfast.simulator.conversation.participants import Participants, opening
from holdfast.simulator.conversation.stop import MaxTurns
from holdfast.simulator.engine.rounds import mean_felt
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from holdfast.simulator.results.build import build_results
from holdfast.simulator.results.model import Results, results_schema
from holdfast.simulator.runtime.session import Session, replay_session, user_factory
from tests.agents.users.players import Player, in_first_person, intention_in, nonsense
from tests.simulator.engine.studies import run, session, study
from tests.simulator.measure.making import PRIMARY
from tests.simulator.scripted import TASKS, HashModel, HashRater, persona

MIXED = {"users": ["embedded", {"kind": "model", "name": "player"}]}


def blabbing(request: GenerationRequest) -> str:
    """A user that recites all that it was told, its instructions first."""
    return " ".join(message.content for message in request.messages)[:400]


def hinting(request: GenerationRequest) -> str:
    """Says what it should, and then what it should not."""
    return f"{in_first_person(intention_in(request))} I also have to CANARYHIDDEN CANARYLATER."


@pytest.mark.parametrize("speaks", [blabbing, hinting, nonsense])
async def test_the_assistant_never_sees_who_the_user_is(speaks: Any) -> None:
    """Whatever the playing model blurts out: of all that a persona holds, only what this turn is for gets through."""
    hidden = persona(
        name="CANARYNAME",
        background="CANARYBACK is a long story of CANARYBACK and of more CANARYBACK.",
        goals=[
            {"id": "one", "need": "open the box", "topic": "the box"},
            {"id": "canarygoal", "need": "CANARYHIDDEN CANARYLATER", "topic": "CANARYTOPIC", "after": ["one"]},
        ],
        feelings=["anxious"],
        topics=["the box"],
        desired_empathy=3,
    )
    model, player = HashModel(), Player(speaks=speaks, judges=nonsense)
    turns: list[TurnRecord] = []

    async def keep(record: TurnRecord) -> None:
        turns.append(record)

    spec = EpisodeSpec("p", hidden.task, "base", 1, 6)
    user = ModelUser(hidden, player, spec.id)
    participants = Participants(
        spec, TASKS["bug_hunt"], user, SingleModel(model), {"hash": HashRater()}, MaxTurns(6), keep
    )
    await graph.ainvoke(opening(participants), config(6), context=participants)
    assert len(turns) == len(model.requests) == 6
    assert any("CANARYBACK" in repr(request) for request in player.requests)
    assert any("CANARYHIDDEN" in repr(request) for request in player.requests)
    for request in model.requests:
        seen = repr(request)
        assert "CANARYHIDDEN" not in seen
        assert "CANARYBACK" not in seen
        assert "to be heard" not in seen  # the expectation's words
        assert "inner voice" not in seen


def mixed(plan: Plan, player: Player, model: HashModel | None = None) -> Session:
    """Embedded users, and those that ``player`` plays where the study has them."""
    players = {spec: player for spec in plan.study.users if spec.kind == "model"}
    return session(plan, model, user_for=user_factory(plan.study, players))


def results_of(plan: Plan, out: Path) -> Results:
    return build_results(
        read_episodes(out / "journal.sqlite"),
        candidates=plan.study.candidates,
        raters=[PRIMARY],
        tasks=plan.tasks,
        patterns=plan.patterns,
        personas=plan.personas,
        study_name="s",
        seed=5,
        baseline="base",
        timings_s={},
        provenance={},
        draws=50,
    )


def test_a_study_without_models_as_users_keeps_its_ids_and_its_hash() -> None:
    plan, spelt = study(), study(users=["embedded"])
    assert plan.sha256 == spelt.sha256
    assert '"users": "embedded"' in plan.fingerprint
    assert plan.episodes[0].id == "base/amara_okafor/1/6/0"
    assert plan.episodes[0].user_key == "amara_okafor/1/6/0"


def test_each_persona_is_played_by_each_simulator() -> None:
    plan = study(**MIXED)
    assert len(plan.episodes) == len({spec.id for spec in plan.episodes}) == 2 * len(study().episodes)
    assert {spec for spec in plan.episodes if not spec.simulator} == set(study().episodes)
    played = next(spec for spec in plan.episodes if spec.simulator)
    assert played.id == "base/amara_okafor/1/6/0/player"
    assert played.user_key == "amara_okafor/1/6/0/player"


def test_adding_a_simulator_changes_no_word_of_the_others(tmp_path: Path) -> None:
    alone, both = study(), study(**MIXED)
    run(mixed(alone, Player()), tmp_path / "alone")
    run(mixed(both, Player()), tmp_path / "mixed")
    theirs = read_episodes(tmp_path / "mixed" / "journal.sqlite")
    ours = [episode for episode in theirs if not episode.spec.simulator]
    assert transcripts_sha256(ours) == transcripts_sha256(read_episodes(tmp_path / "alone" / "journal.sqlite"))
    results = results_of(both, tmp_path / "mixed")
    assert set(results.simulators) == {"embedded", "player"}
    before = results_of(alone, tmp_path / "alone")
    assert before.simulators is None
    verdicts = {name: candidate.holding.holds for name, candidate in before.candidates.items()}
    assert {name: each.holds for name, each in results.simulators["embedded"].candidates.items()} == verdicts


def test_figures_stand_by_simulator(tmp_path: Path) -> None:
    plan = study(**MIXED)
    run(mixed(plan, Player(speaks=nonsense)), tmp_path)
    found = results_of(plan, tmp_path)
    embedded, player = found.simulators["embedded"], found.simulators["player"]
    assert embedded.model is None
    assert embedded.episodes == player.episodes == 9
    played = player.model
    # 9 conversations of 6 turns; every message asked for three times (two retries), every judgement readable.
    assert (played.messages, played.stand_in_messages, played.refused) == (54, 54, 162)
    assert sum(played.refused_by.values()) == 162
    assert (played.judgements, played.stand_in_judgements, played.repaired) == (54, 0, 0)
    assert played.prompt_tokens == (162 + 54) * 100
    for name, candidate in found.candidates.items():
        parts = [simulator.candidates[name] for simulator in (embedded, player)]
        whole = sum(part.adherence.mean * part.episodes for part in parts) / candidate.episodes
        assert candidate.adherence.mean == pytest.approx(whole)
    jsonschema.validate(found.model_dump(mode="json"), results_schema())
    (line,) = played_by(found)
    assert line.startswith("users played by player: 0% of the messages and 100% of the judgements are the model's own")
    # A stand-in speaks with the embedded users' words: as many of them.
    assert player.realism.words.mean == pytest.approx(embedded.realism.words.mean, rel=0.25)


def test_a_broken_off_run_goes_on_to_the_same_words(tmp_path: Path) -> None:
    plan = study(**MIXED)
    run(mixed(plan, Player()), tmp_path / "whole")
    assert run(mixed(plan, Player(), HashModel(fail="jun_park")), tmp_path / "half").failed == 6
    run(mixed(plan, Player()), tmp_path / "half", resume=True)
    hashes = [transcripts_sha256(read_episodes(tmp_path / name / "journal.sqlite")) for name in ("whole", "half")]
    assert hashes[0] == hashes[1]


def test_a_replay_needs_no_model_for_the_users_either(tmp_path: Path) -> None:
    plan = study(**MIXED)
    run(mixed(plan, Player()), tmp_path / "old")
    with Journal.read(tmp_path / "old" / "journal.sqlite") as old:
        replayed = replay_session(plan, old, tmp_path / "old")
        assert run(replace(replayed, raters={"hash": HashRater()}), tmp_path / "new").failed == 0
    hashes = [transcripts_sha256(read_episodes(tmp_path / name / "journal.sqlite")) for name in ("old", "new")]
    assert hashes[0] == hashes[1]


def test_another_simulator_is_another_study(tmp_path: Path) -> None:
    plan, other = study(**MIXED), study(users=["embedded", {"kind": "model", "name": "player", "retries": 0}])
    run(mixed(plan, Player()), tmp_path)
    with pytest.raises(JournalError, match=r"users\.2\.retries: was 2, now 0"):
        run(mixed(other, Player()), tmp_path, resume=True)


def test_each_simulator_has_a_population_of_its_own(tmp_path: Path) -> None:
    """What one player's people felt moves their own next expectation, and nobody else's."""
    ring = {"graph": {"kind": "ring"}, "spread": {"own": 0.5}}
    plan = study(population=ring, rounds=2, turns=3, **MIXED)
    run(mixed(plan, Player()), tmp_path)
    by_id = {episode.spec.id: episode for episode in read_episodes(tmp_path / "journal.sqlite")}
    checked = 0
    for id, episode in by_id.items():
        before = by_id.get(id.replace("/1/3/1", "/1/3/0")) if episode.spec.round == 1 else None
        if before is not None:
            own, felt = episode.turns[0].state["desired"], before.turns[0].state["desired"]
            assert own == pytest.approx((felt + mean_felt(before)) / 2)
            checked += 1
    assert checked == 3 * 3 * 2


def test_a_study_reads_and_writes_its_simulators() -> None:
    config = StudyConfig.model_validate({"candidates": ["base"], **MIXED})
    assert [spec.name for spec in config.users] == ["embedded", "player"]
    assert StudyConfig.model_validate(config.model_dump(mode="json")) == config
    assert resolve(config).episodes
