from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from holdfast.core.errors import InputError
from holdfast.personas.loading import library
from holdfast.simulator.config.plan import Plan, differences, resolve
from holdfast.simulator.config.study import StudyConfig


def plan(**changes: Any) -> Plan:
    return resolve(StudyConfig.model_validate({"candidates": ("base", "routed")} | changes))


def test_everybody_meets_every_candidate_at_every_length_and_replicate() -> None:
    made = plan(lengths=(6, 12), replicates=3)
    assert len(made.episodes) == len(library()) * 2 * 2 * 3
    assert len({spec.id for spec in made.episodes}) == len(made.episodes)
    assert {spec.replicate for spec in made.episodes} == {1, 2, 3}
    assert {spec.max_turns for spec in made.episodes} == {6, 12}


def test_the_order_never_changes() -> None:
    assert plan(replicates=2).episodes == plan(replicates=2).episodes
    assert [spec.candidate for spec in plan().episodes[:4]] == ["base", "routed", "base", "routed"]


def test_per_task_draws_so_many_of_each_by_seed() -> None:
    tasks = {spec.persona: spec.task for spec in plan(personas={"per_task": 2}).episodes}
    assert set(Counter(tasks.values()).values()) == {2}
    draws = {tuple(plan(personas={"per_task": 1}, seed=seed).personas) for seed in range(20)}
    assert len(draws) > 1


def test_tasks_keep_only_theirs() -> None:
    made = plan(personas={"tasks": ("burnout",)})
    assert {spec.task for spec in made.episodes} == {"burnout"}


def test_nobody_who_is_tested_was_trained_on() -> None:
    made = plan(training={"held_out_per_task": 2})
    assert made.split is not None
    trained = {persona.id for persona in made.split.train}
    assert trained
    assert trained.isdisjoint(made.personas)
    assert Counter(persona.task for persona in made.personas.values()) == dict.fromkeys(made.tasks, 2)


def test_a_persona_is_named_once() -> None:
    with pytest.raises(InputError, match="personas given twice: amara_okafor"):
        plan(personas={"ids": ("amara_okafor", "amara_okafor")})


def test_a_task_that_no_chosen_persona_has() -> None:
    task = "bug_hunt" if library()["amara_okafor"].task != "bug_hunt" else "burnout"
    with pytest.raises(InputError, match=f"no persona has a task of {task}"):
        plan(personas={"ids": ("amara_okafor",), "tasks": (task,)})


def test_a_population_gives_agents() -> None:
    made = plan(population={"size": 30, "graph": {"kind": "ring"}}, rounds=2)
    agents = {spec.agent for spec in made.episodes}
    assert len(agents) == 30
    assert len(made.episodes) == 30 * 2 * 2
    assert [spec.round for spec in made.episodes] == [0] * 60 + [1] * 60


def test_a_fingerprint_ignores_only_what_changes_nothing() -> None:
    assert plan().sha256 == plan(batch_size=1).sha256
    assert plan().sha256 == plan(adapters="/elsewhere").sha256
    different = [
        plan(seed=1),
        plan(turns=3),
        plan(leave=True),
        plan(personas={"per_task": 1}),
        plan(sampling={"top_p": 0.5}),
    ]
    assert len({made.sha256 for made in [plan(), *different]}) == 6


def test_settings_that_older_studies_did_not_know_are_not_in_their_fingerprint() -> None:
    known = json.loads(plan(training={"held_out_per_task": 2}).fingerprint)["training"]
    assert (known["rank"], known["alpha"], known["learning_rate"], known["steps"]) == (8, 16, 3e-3, 60)
    assert not {"examples", "retries", "method", "patience", "beta", "dtype", "replicates"} & known.keys()
    preferred = plan(training={"held_out_per_task": 2, "method": "dpo", "steps": 9})
    assert {"method": "dpo", "steps": 9}.items() <= json.loads(preferred.fingerprint)["training"].items()


def test_replicates_are_in_the_fingerprint_as_old_journals_have_them() -> None:
    made = plan(replicates=2)
    assert '"seeds": 2' in made.fingerprint
    assert "replicates" not in made.fingerprint
    assert differences(plan().fingerprint, made.fingerprint) == ["replicates: was 1, now 2"]


def test_differences_have_names() -> None:
    old, new = plan(turns=24, seed=1), plan(turns=12, seed=1, candidates=("base", "oracle"))
    lines = differences(old.fingerprint, new.fingerprint)
    assert "turns: was 24, now 12" in lines
    assert 'candidates.2.kind: was "routed", now "oracle"' in lines
    assert differences(old.fingerprint, old.fingerprint) == []


def test_what_is_missing_on_one_side_is_absent() -> None:
    assert differences('{"a": 1, "b": null}', '{"c": []}') == [
        "a: was 1, now absent",
        "b: was null, now absent",
        "c: was absent, now []",
    ]
