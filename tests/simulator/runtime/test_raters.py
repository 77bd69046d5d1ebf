"""Raters of a study: the first makes the curves and is felt, witnesses stand beside it, and nothing missing is lost."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from holdfast import Run, Study
from holdfast.agents.raters.felt.feelers import NAMES
from holdfast.agents.raters.felt.rater import PeopleFeeler
from holdfast.agents.raters.gate.rater import ungated
from holdfast.agents.raters.linear.rater import SHIPPED_PEERS, LinearRater
from holdfast.agents.raters.protocol import EXPRESSED
from holdfast.core.errors import InputError
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study
from holdfast.simulator.journal.store import JOURNAL, read_episodes
from holdfast.simulator.runtime.provenance import training_provenance
from holdfast.simulator.runtime.raters import check_raters
from holdfast.simulator.runtime.resources import open_resources
from tests.agents.raters.judge.judge_server import Asked
from tests.passages import exchange
from tests.servers.answers import Body, scripted
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running

TURNS = 3


def answer(body: Body) -> str:
    """A candidate's reply, or a judge's rating: of the second turn of a conversation there is none."""
    if body["model"] != "judge":
        return scripted(body)
    asked = Asked(dict(body))
    return "I would rather not say." if len(asked.conversation) == 4 else asked.valid(2)


def study(base_url: str, *raters: Any, **more: Any) -> Study:
    model = {"ref": "openai:m", "base_url": base_url}
    fields = {"personas": {"ids": ["jun_park", "priya_raman"]}, "candidates": ["base"], "turns": TURNS}
    return Study.of(model=model, raters=list(raters), **(fields | more))


def judge(base_url: str, **more: Any) -> dict[str, Any]:
    return {"kind": "judge", "model": "openai:judge", "base_url": base_url, **more}


def test_every_turn_holds_the_ratings_of_all_raters(tmp_path: Path) -> None:
    with running(ScriptedServer(answer=answer, keep=True)) as server:
        study(server.base_url, "linear", judge(server.base_url)).run(tmp_path / "both")
        asked = [body for body in server.requests if body["model"] == "judge"]
        study(server.base_url, "linear").run(tmp_path / "alone")
    turns = [turn for episode in read_episodes(tmp_path / "both" / JOURNAL) for turn in episode.turns]
    assert len(turns) == 2 * TURNS
    for turn in turns:
        assert list(turn.ratings) == ["linear", "openai:judge", NAMES["people"]]
        assert turn.primary == LinearRater().score([exchange(turn.user, turn.reply)])[0]
        witness = turn.ratings["openai:judge"]
        if turn.turn == 2:
            assert (dict(witness.values), witness.missing) == ({}, "no_json: 'I would rather not say.'")
        else:
            assert witness.values == dict.fromkeys(EXPRESSED.dimensions, 2.0)
            assert witness.missing is None
        assert witness.samples == ()  # a journal keeps ratings, not each answer
        assert witness.tokens[1] > 0
    run = Run.open(tmp_path / "both")
    assert [(each.witness, each.r.n) for each in run.results.agreement][:1] == [("openai:judge", 4)]
    beside = run.results.candidates["base"].witnesses["openai:judge"]
    assert [(point.turn, point.mean) for point in beside.levels_by_turn["exploration"]] == [(1, 2), (3, 2)]
    assert beside.unrated == {"no_json: 'I would rather not say.'": 2}
    assert all(body["response_format"]["json_schema"]["name"] == "rating" for body in asked)
    assert len(asked) == 2 * TURNS + 2  # one repair of each unusable answer
    alone = [turn for episode in read_episodes(tmp_path / "alone" / JOURNAL) for turn in episode.turns]
    assert [(turn.reply, turn.felt) for turn in turns] == [(turn.reply, turn.felt) for turn in alone]
    made = json.loads((tmp_path / "both" / "run.json").read_text())["provenance"]
    assert [(each["name"], each["role"]) for each in made["raters"]] == [
        ("linear", "primary"), ("openai:judge", "witness"), (NAMES["people"], "feeler"),
    ]  # fmt: skip
    assert made["inputs"]["rater openai:judge"].startswith("judge:openai:judge 1/samples=1/history=all/temperature=0 ")
    assert made["inputs"]["rater linear"] == LinearRater().identity.version


def test_a_judge_may_be_the_primary_rater_and_is_felt(tmp_path: Path) -> None:
    felt = []
    for score in (0, 2):
        with running(ScriptedServer(answer=lambda body, score=score: _all(body, score))) as server:
            study(server.base_url, judge(server.base_url, name="judge"), "linear").run(tmp_path / str(score))
        turns = [turn for episode in read_episodes(tmp_path / str(score) / JOURNAL) for turn in episode.turns]
        assert {turn.primary.values["exploration"] for turn in turns} == {score}
        assert all("linear" in turn.ratings for turn in turns)
        felt.append([turn.emotion for turn in turns if turn.turn == 1])
    assert all(cold < warm for cold, warm in zip(*felt, strict=True))


def _all(body: Body, score: int) -> str:
    return Asked(dict(body)).valid(score) if body["model"] == "judge" else scripted(body)


def config(**fields: Any) -> StudyConfig:
    return StudyConfig.model_validate({"personas": {"ids": ["jun_park"]}, "candidates": ["base"], **fields})


def test_the_default_leaves_a_studys_hash_and_where_a_judge_is_served_does_too() -> None:
    assert "raters" not in json.loads(resolve(config()).fingerprint)
    assert resolve(config(raters=["linear"])).sha256 == resolve(config()).sha256
    here, there, strict = (
        resolve(config(raters=["linear", judge(f"http://{host}/v1", **more)])).sha256
        for host, more in (("here", {}), ("there", {}), ("here", {"samples": 3}))
    )
    assert here == there != resolve(config()).sha256
    assert strict != here


@pytest.mark.parametrize(
    ("raters", "says"),
    [
        (
            [{"kind": "linear", "scale": "perceived"}],
            r"none of the raters rates \('linear' rates perceived\): add one",
        ),
        ([{"kind": "linear", "scale": "acts"}], "the fitted rater of communicated acts is withdrawn"),
        ([{"kind": "reward", "folder": "x"}], "'reward' rates preferred"),
        (["linear", "linear"], "two raters are named 'linear'; give each a 'name' of its own"),
        (["linaer"], "unknown rater 'linaer'; did you mean 'linear'"),
        ([], "at least 1 item"),
    ],
)
def test_raters_that_are_refused(raters: list[Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(json.dumps({"candidates": ["base"], "raters": raters}), encoding="utf-8")
    with pytest.raises(InputError, match=says):
        load_study(path)


def test_a_folder_lies_beside_the_study_and_must_rate_expressed_empathy(tmp_path: Path) -> None:
    from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED

    shutil.copytree(SHIPPED_PERCEIVED, tmp_path / "felt")
    path = tmp_path / "study.yaml"
    path.write_text(json.dumps({"candidates": ["base"], "raters": ["./felt"]}), encoding="utf-8")
    with pytest.raises(InputError, match="'felt' rates perceived"):
        Study(load_study(path)).run(tmp_path / "run")


TRAINED = {"dialogues_per_pattern": 2, "turns": 3, "min_turns": 2, "samples": 1, "steps": 1}


def test_who_trains_need_not_judge() -> None:
    """The rater that picks dialogues is the training's own where it names one, and stands in the provenance."""
    fields = {"personas": {"tasks": ["burnout", "bug_hunt"]}, "candidates": ["base", "routed"], "turns": 2}
    own = resolve(StudyConfig.model_validate(fields | {"training": TRAINED | {"rater": "linear_peers"}}))
    shared = resolve(StudyConfig.model_validate(fields | {"training": TRAINED}))
    with closing(open_resources(own)) as resources:
        assert ungated(resources.training[3]) == LinearRater(SHIPPED_PEERS)
        assert [ungated(rater) for rater in resources.raters.values()] == [LinearRater(), PeopleFeeler()]
        trainer = training_provenance(resources)["training_rater"]
    with closing(open_resources(shared)) as resources:
        assert ungated(resources.training[3]) == LinearRater()
        assert training_provenance(resources)["training_rater"] != trainer
    assert trainer.startswith("linear_peers ")


@pytest.mark.parametrize(
    ("rater", "says"),
    [
        ({"kind": "linear", "scale": "perceived"}, "training: rater: linear rates perceived"),
        ({"kind": "reward", "folder": "x"}, "training: rater: .* rates preferred"),
    ],
)
def test_a_training_rater_of_another_scale_is_refused(rater: dict[str, str], says: str) -> None:
    fields = {"personas": {"ids": ["jun_park"]}, "candidates": ["base"], "training": TRAINED | {"rater": rater}}
    with pytest.raises(InputError, match=says):
        check_raters(StudyConfig.model_validate(fields))
