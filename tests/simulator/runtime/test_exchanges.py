"""Where exemplars come from: training dialogues or a file, nobody of the test among them; and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from holdfast import Study
from holdfast.adapters.dialogues.export import TurnOrigin, read_jsonl
from holdfast.agents.assistants.exchange_store import StoredExchange
from holdfast.agents.assistants.exemplars import Exemplars
from holdfast.core.errors import InputError, JournalError
from holdfast.core.jsonl import write_lines
from holdfast.personas.schema import MechanismLevels
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study
from holdfast.simulator.runtime.exchanges import people_tested, training_exchanges
from holdfast.simulator.runtime.resources import Resources
from tests.adapters.standins import training_dialogue
from tests.agents.models.conftest import CONFIGS, build_model
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running
from tests.simulator.runtime.test_prompt_rehearsal import NO_SYSTEM, TEMPLATE
from tests.simulator.scripted import HashModel, HashRater

SAID = {"emotional_reaction": 2.0, "interpretation": 0.5, "exploration": 0.0}


def plan_with(adapters: Path, *candidates: Any) -> Plan:
    people = {"ids": ["jun_park", "priya_raman"]}
    return resolve(
        StudyConfig.model_validate({"personas": people, "candidates": candidates, "adapters": str(adapters)})
    )


def write_dialogues(folder: Path, *people: str) -> Path:
    """Write a dialogue of three turns with each of ``people``, the second turn without levels; return the adapters."""
    turns = tuple(
        TurnOrigin(turn=turn, said={}, expressed=SAID if turn != 2 else {}, adherence=1, seed=0) for turn in (1, 2, 3)
    )
    dialogues = [training_dialogue(0, person=person).model_copy(update={"turns": turns}) for person in people]
    write_lines(dialogues, folder / "dialogues" / "companion.jsonl")
    (folder / "adapters").mkdir()
    return folder / "adapters"


def store_of(plan: Plan, exchanges: tuple[StoredExchange, ...]) -> tuple[StoredExchange, ...]:
    resources = Resources(plan, {plan.study.model: HashModel()}, {}, {"hash": HashRater()}, exchanges=exchanges)
    candidate = resources.candidates()["exemplars"]
    assert isinstance(candidate, Exemplars)
    return candidate.store.exchanges


def test_training_dialogues_become_exchanges(tmp_path: Path) -> None:
    adapters = write_dialogues(tmp_path, "amara_okafor")
    first, second, third = training_exchanges(plan_with(adapters, "exemplars"), adapters)
    assert first == StoredExchange(
        situation="i feel anxious about the report .",
        reply="i am so sorry .",
        levels=MechanismLevels(**SAID),
        persona="amara_okafor",
    )
    assert (second.levels, third.levels) == (None, first.levels)


def test_nothing_is_read_where_no_candidate_shows_exemplars(tmp_path: Path) -> None:
    adapters = write_dialogues(tmp_path, "amara_okafor")
    (tmp_path / "dialogues" / "companion.jsonl").write_text("damaged", encoding="utf-8")
    assert training_exchanges(plan_with(adapters, "base"), adapters) == ()
    with pytest.raises(InputError, match=r"companion.jsonl:1: Invalid JSON"):
        training_exchanges(plan_with(adapters, "exemplars"), adapters)


def test_nobody_who_is_tested_has_an_exchange_in_the_store(tmp_path: Path) -> None:
    adapters = write_dialogues(tmp_path, "amara_okafor", "jun_park")
    plan = plan_with(adapters, "exemplars")
    assert people_tested(plan) == {"jun_park", "Jun Park", "priya_raman", "Priya Raman"}
    exchanges = training_exchanges(plan, adapters)
    assert len(exchanges) == 6
    with pytest.warns(UserWarning, match="3 exchanges of the training dialogues left out, of people tested"):
        kept = store_of(plan, exchanges)
    assert {exchange.persona for exchange in kept} == {"amara_okafor"}
    with pytest.raises(InputError, match="all are of people that are tested"):
        store_of(plan, tuple(exchange for exchange in exchanges if exchange.persona == "jun_park"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(store_of(plan, kept)) == 3


def test_a_study_shows_the_dialogues_of_the_run_that_it_has_adapters_of(tmp_path: Path) -> None:
    adapters = write_dialogues(tmp_path / "before", "amara_okafor", "jun_park")
    with running(ScriptedServer(keep=True)) as server:
        model = {"ref": "openai:m", "base_url": server.base_url}
        candidate = {"kind": "exemplars", "pattern": "companion"}
        study = Study.of(
            model=model, personas={"ids": ["jun_park"]}, candidates=[candidate], turns=1, adapters=str(adapters)
        )
        with pytest.warns(UserWarning, match="of people tested"):
            study.run(tmp_path / "run")
    (body,) = server.requests
    shown = [(message["role"], message["content"]) for message in body["messages"][:-1]]
    assert shown == [
        ("user", "thanks that helps ."),
        ("assistant", "i am so sorry about that ."),
        ("user", "i feel anxious about the report ."),
        ("assistant", "i am so sorry ."),
    ]


def test_without_dialogues_or_a_file_a_study_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("candidates: [base, exemplars]\n", encoding="utf-8")
    with pytest.raises(InputError, match="shows exchanges of training dialogues, and the study has none: give it a"):
        load_study(study)
    study.write_text("candidates: [{kind: best_of, recognise: true}]\n", encoding="utf-8")
    with pytest.raises(InputError, match="recognises the task by a router, and the study has none: leave out"):
        load_study(study)
    study.write_text("candidates: [{kind: exemplars, file: none.jsonl}]\nturns: 1\n", encoding="utf-8")
    assert run_command(["run", str(study), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert f"{tmp_path / 'none.jsonl'}: no such file; check the path" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_store_that_has_changed_is_another_study(tmp_path: Path) -> None:
    store = tmp_path / "store.jsonl"
    store.write_text('{"situation": "my boss", "reply": "Oh no."}', encoding="utf-8")
    fields = {"personas": {"ids": ["jun_park"]}, "candidates": [{"kind": "exemplars", "file": str(store)}], "turns": 2}
    with running(ScriptedServer()) as server:
        study = Study.of(**fields, model={"ref": "openai:m", "base_url": server.base_url})
        study.run(tmp_path / "run")
        study.run(tmp_path / "run", resume=True)
        store.write_text('{"situation": "my boss", "reply": "Ah."}', encoding="utf-8")
        with pytest.raises(JournalError, match="prompt of exemplars: exemplars"):
            study.run(tmp_path / "run", resume=True)


def test_a_plan_holds_the_base_model_where_dialogues_are_still_to_be_written() -> None:
    fields = {"personas": {"tasks": ["burnout"]}, "turns": 2, "training": {"patterns": ["companion"]}}
    with running(ScriptedServer()) as server:
        model = {"ref": "openai:m", "base_url": server.base_url}
        waiting = ["exemplars", {"kind": "best_of", "recognise": True}]
        result = Study.of(**fields, model=model, candidates=["base", *waiting]).plan()
    assert [(each.prompt_tokens or 0) > 0 for each in result.candidates] == [True, True, True]
    assert any("exemplars, best_of stood in as the base model" in note for note in result.notes)


@pytest.mark.parametrize(
    ("candidate", "refused"),
    [
        ({"kind": "exemplars", "show": "system"}, True),
        ({"kind": "exemplars", "show": "turns"}, False),
        ({"kind": "exemplars", "show": "turns", "with_prompt": True}, True),
        ({"kind": "reflect"}, False),
        ({"kind": "reflect", "with_prompt": True}, True),
        ({"kind": "best_of", "n": 2}, False),
        ({"kind": "best_of", "n": 2, "with_prompt": True}, True),
    ],
    ids=str,
)
def test_templates_without_a_system_role(
    candidate: dict[str, Any], refused: bool, gemma_like: Path, tmp_path: Path
) -> None:
    """Roles must alternate there too: example turns and reflections keep to it."""
    store = tmp_path / "store.jsonl"
    store.write_text('{"situation": "w1", "reply": "w2"}\n{"situation": "w3", "reply": "w4"}', encoding="utf-8")
    given = candidate | ({"file": str(store)} if candidate["kind"] == "exemplars" else {})
    study = Study.of(
        model={"ref": f"hf:{gemma_like}", "dtype": "float64"},
        personas={"ids": ["jun_park"]},
        candidates=[given],
        turns=2,
        sampling={"max_tokens": 4},
    )
    if refused:
        with pytest.raises(InputError, match="System role not supported"):
            study.run(tmp_path / "run")
    else:
        (episode,) = study.run(tmp_path / "run").episodes()
        assert (len(episode.turns), episode.error) == (2, None)


@pytest.fixture(scope="module")
def gemma_like(tmp_path_factory: pytest.TempPathFactory) -> Path:
    alternate = (
        "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% endfor %}"
    )
    folder = build_model(CONFIGS["llama"], tmp_path_factory.mktemp("templates") / "llama")
    (folder / "chat_template.jinja").write_text(NO_SYSTEM + alternate + TEMPLATE, encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_study_that_trains_shows_its_own_dialogues(tmp_path: Path) -> None:
    study = Study.of(
        personas={"tasks": ["bug_hunt"]},
        candidates=["base", "exemplars"],
        turns=2,
        seed=1,
        training={"patterns": ["solver"], "dialogues_per_pattern": 6, "turns": 3, "steps": 2, "rater": "linear_peers"},
    )
    done = study.run(tmp_path / "run")
    dialogues = read_jsonl(tmp_path / "run" / "dialogues" / "solver.jsonl")
    exchanges = training_exchanges(resolve(study.config), tmp_path / "run" / "adapters")
    assert len(exchanges) == sum(len(dialogue.turns) for dialogue in dialogues) > 6
    assert all(exchange.levels is not None for exchange in exchanges)
    turns = {
        name: [turn for each in done.episodes() if each.spec.candidate == name for turn in each.turns]
        for name in ("base", "exemplars")
    }
    assert {exchange.persona for exchange in exchanges}.isdisjoint(each.spec.persona for each in done.episodes())
    for bare, shown in zip(turns["base"], turns["exemplars"], strict=True):
        assert shown.tokens[0] > bare.tokens[0]
