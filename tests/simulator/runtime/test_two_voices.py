"""Two embedded simulators of a study: the same people in the words of their stories and in the grammar's."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from holdfast import Study
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.journal.store import JOURNAL, read_episodes
from holdfast.simulator.realism.talks import simulated_talks
from holdfast.simulator.runtime.session import embedded_user
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running

VOICES = [{"kind": "embedded", "voice": "natural"}, {"kind": "embedded", "name": "plain", "voice": "grammar"}]


def test_each_speaks_in_its_own_voice(tmp_path: Path) -> None:
    with running(ScriptedServer()) as server:
        served = {"ref": "openai:m", "base_url": server.base_url}
        study = Study.of(model=served, users=VOICES, candidates=["base"], personas={"ids": ["jun_park"]}, turns=3)
        results = study.run(tmp_path).results
    assert list(results.simulators or ()) == ["embedded", "plain"]
    plan = resolve(study.config)
    agents = {spec.simulator: embedded_user(study.config, spec, plan.personas[spec.persona]) for spec in plan.episodes}
    opened = {episode.spec.simulator: episode.turns[0].user for episode in read_episodes(tmp_path / JOURNAL)}
    assert {name: agent.natural for name, agent in agents.items() if agent} == {"": True, "plain": False}
    assert opened[""] != opened["plain"]
    assert [talks.name for talks in simulated_talks(tmp_path)] == ["embedded, natural voice", "plain, rules voice"]


def test_two_of_one_name_are_refused_and_a_name_tells_them_apart() -> None:
    alike = [{**users, "name": "twin"} for users in VOICES]
    with pytest.raises(ValidationError, match=r"two simulators are named 'twin'; give each a 'name' of its own"):
        Study.of(candidates=["base"], users=alike)
    apart = StudyConfig.model_validate({"candidates": ["base"], "users": VOICES})
    assert apart.voices == {"embedded": True, "plain": False}
    assert apart.natural_voice
    assert StudyConfig.model_validate(apart.model_dump(mode="json")) == apart


def test_a_study_that_names_nobody_is_written_as_before() -> None:
    alone = StudyConfig.model_validate({"candidates": ["base"], "users": {"kind": "embedded", "voice": "natural"}})
    assert alone.model_dump(mode="json", exclude_none=True)["users"] == {"kind": "embedded", "voice": "natural"}
    assert StudyConfig.model_validate({"candidates": ["base"]}).model_dump(mode="json")["users"] == "embedded"
