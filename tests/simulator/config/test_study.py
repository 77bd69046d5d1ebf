from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from holdfast.core.errors import InputError
from holdfast.personas import loading
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study, write_study
from tests.personas.conftest import GOOD


def load(tmp_path: Path, text: str) -> StudyConfig:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return load_study(path)


def test_candidates_are_enough(tmp_path: Path) -> None:
    study = load(tmp_path, "candidates: [system_prompt, base]\n")
    assert (study.turns, study.replicates, study.model.key, study.leave) == (24, 1, "micro", False)
    assert study.population is None
    assert study.baseline_name == "base"


def test_the_first_candidate_is_the_baseline_where_none_is_base(tmp_path: Path) -> None:
    assert load(tmp_path, "candidates: [oracle, routed]\n").baseline_name == "oracle"


def test_what_a_run_writes_reads_back(tmp_path: Path) -> None:
    study = load(
        tmp_path,
        """
name: one
candidates:
  - base
  - {kind: adapter, adapter: solver, name: s, sampling: {temperature: 0}}
lengths: [6, 12]
rounds: 2
population: {size: 24, graph: ring, spread: {own: 0.2}}
training: {steps: 3}
""",
    )
    write_study(study, tmp_path / "resolved.yaml")
    assert load_study(tmp_path / "resolved.yaml") == study


def test_files_lie_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "experts").mkdir()
    study = load(tmp_path, "candidates: [base]\npersonas: {files: [mine.yaml]}\nadapters: experts\n")
    assert study.personas.files == (loading.load_persona(tmp_path / "mine.yaml"),)
    assert study.adapters == str(tmp_path / "experts")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("candidates: [base, sytem_prompt]", r":1:20: .*unknown candidate kind 'sytem_prompt'; did you mean 'system_prompt'"),  # noqa: E501
        ("candidates: [base, base]", r":1:13: .*two candidates are named 'base'; give each a 'name' of its own"),
        ("candidates: []", r":1:13"),
        ("candidates: [base, null]", r":1:20: .*a candidate is a word or a mapping with 'kind'; nothing stands here"),
        ("candidates: [base, 7]", r":1:20: .*a candidate is a word or a mapping with 'kind'; got 7"),
        ("candidates: [base]\nraters: [linear, ~]", r":2:18: .*a rater is a word .*; nothing stands here"),
        ("name: x", r"'candidates' is missing"),
        ("candidates: [base]\nbaseline: bas", r"baseline 'bas' is no candidate; did you mean 'base'"),
        ("candidates: [base]\nturn: 3", r":2:1: unknown key 'turn'; did you mean 'turns'"),
        ("candidates: [base]\nturns: 0", r":2:8: turns: expected a whole number from 1"),
        ("candidates: [base]\nseed: -1", r":2:7: seed: expected a whole number from 0 to 9223372036854775807, got -1"),
        ("candidates: [base]\nturns: '3'", r":2:8"),
        ("candidates: [base]\nrounds: 3", r"'rounds' moves the expectations of a population; add 'population'"),
        ("candidates: [base]\npersonas: {ids: [amara_okafo]}", r":2:18: no persona 'amara_okafo'; did you mean 'amara_okafor'"),  # noqa: E501
        ("candidates: [base]\npersonas: {tasks: [bugs]}", r":2:20: no task 'bugs'"),
        ("candidates: [base]\npopulation: {personas: [amara_okafo]}", r":2:25: no persona 'amara_okafo'; did you mean"),
        ("candidates: [base]\npopulation: {size: 3, graph: {kind: ring, neighbours: 4}}", r":2:.*neighbours: .* 3 agents"),  # noqa: E501
        ("candidates: [base]\ntraining: {min_turns: 9}", r":2:11: .*min_turns is 9, above turns"),
    ],
)  # fmt: skip
def test_a_fault_has_its_place(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        load(tmp_path, text)


def test_every_fault_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, "candidates: [bass, {kind: routed, expert: 1}]\nturn: 3\nreplicates: many\n")
    assert [fault.line for fault in caught.value.faults] == [1, 1, 2, 3]


def test_the_older_key_seeds_is_read_with_a_hint(tmp_path: Path) -> None:
    with pytest.warns(FutureWarning, match="'seeds' is now called 'replicates'"):
        old = load(tmp_path, "candidates: [base]\nseeds: 3\n")
    new = load(tmp_path, "candidates: [base]\nreplicates: 3\n")
    assert old == new
    with pytest.raises(InputError, match=r":3:1: unknown key 'seeds'"):
        load(tmp_path, "candidates: [base]\nreplicates: 3\nseeds: 3\n")
    with pytest.warns(FutureWarning), pytest.raises(InputError, match=r":2:8: seeds: .*valid integer"):
        load(tmp_path, "candidates: [base]\nseeds: many\n")


def test_importing_a_study_is_light() -> None:
    heavy = "{'torch', 'transformers', 'scipy', 'networkx', 'langgraph', 'langchain_core'}"
    modules = "holdfast.simulator.config.study, holdfast.simulator.config.plan"
    code = f"import sys, {modules}; print({heavy} & set(sys.modules))"
    root = Path(__file__).parents[2]
    assert subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True) == "set()\n"


@pytest.mark.parametrize(
    ("users", "fault"),
    [
        ("embeded", r":2:8: users: kind: expected embedded or model, got 'embeded'; did you mean 'embedded'"),
        ("[embedded, embedded]", r"two simulators are named 'embedded'; give each a 'name' of its own"),
        ("{kind: mdel}", r"expected embedded or model, got 'mdel'; did you mean 'model'"),
        ("{kind: model, retry: 3}", r":2:22: unknown key 'retry'; did you mean 'retries'"),
        ("[{kind: model, retries: 99}]", r":2:32: users\[1\].retries: expected a whole number from 0 to 10, got 99"),
        ("{kind: model, window: 0}", r":2:30: users.window: expected a whole number from 1"),
        ("{kind: model, name: embedded}", r"'embedded' is the name of the users without a model"),
        ("{kind: model, name: a/b}", r":2:28: users.name: expected text that matches"),
        ("{name: x}", r"users: key 'kind' is missing; add it: embedded or model"),
        ("[]", r":2:8: users: expected embedded, a list or a mapping .*got an empty list"),
        ("3", r":2:8: users: expected embedded, a list or a mapping .*got 3"),
    ],
)
def test_a_fault_of_the_users_has_its_place(tmp_path: Path, users: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        load(tmp_path, f"candidates: [base]\nusers: {users}")


def test_users_read_as_a_word_a_mapping_or_a_list(tmp_path: Path) -> None:
    for text in ("embedded", "{kind: embedded}", "[embedded]"):
        study = load(tmp_path, f"candidates: [base]\nusers: {text}")
        assert study.model_dump(mode="json")["users"] == "embedded"
        assert study == load(tmp_path, "candidates: [base]")
    study = load(tmp_path, "candidates: [base]\nusers: [model, embedded, {kind: model, name: m, model: 'hf:x'}]")
    assert [(spec.kind, spec.name) for spec in study.users] == [
        ("model", "model"),
        ("embedded", "embedded"),
        ("model", "m"),
    ]
    write_study(study, tmp_path / "resolved.yaml")
    assert load_study(tmp_path / "resolved.yaml") == study


PROMPT_FILE = "candidates: [{kind: system_prompt, prompt_file: prompts/mine.txt}]\n"


def test_a_prompt_file_lies_beside_the_study_and_its_text_is_kept(tmp_path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "mine.txt").write_text("Be warm.\nAsk one question.\n" + "Listen. " * 1000)
    (tmp_path / "study.yaml").write_text(PROMPT_FILE)
    study = load_study(tmp_path / "study.yaml")
    assert study.candidates[0].prompt.startswith("Be warm.\nAsk one question.\nListen.")
    write_study(study, tmp_path / "again.yaml")
    assert load_study(tmp_path / "again.yaml") == study


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        ("  \n", "1 to 50,000"),
        ("a\u202eb", "hidden character U\\+202E"),
        ("\n\n Be\u202e warm.", ":3:4: hidden character U\\+202E"),
    ],
)
def test_a_prompt_file_that_is_no_prompt_is_refused_by_name(tmp_path, content, words):
    (tmp_path / "prompts").mkdir()
    if content is not None:
        (tmp_path / "prompts" / "mine.txt").write_text(content)
    (tmp_path / "study.yaml").write_text(PROMPT_FILE)
    with pytest.raises(InputError, match=rf"mine\.txt.*{words}"):
        load_study(tmp_path / "study.yaml")


@pytest.mark.parametrize("prompt", ["सुनो। " * 60, "x" * 190 + "/y", "a/" * 3000])
def test_a_prompt_that_no_file_can_be_named_is_a_prompt(tmp_path, prompt):
    written = yaml.safe_dump({"candidates": [{"kind": "system_prompt", "prompt": prompt}]}, allow_unicode=True)
    (tmp_path / "study.yaml").write_text(written, encoding="utf-8")
    assert load_study(tmp_path / "study.yaml").candidates[0].prompt.strip() == prompt.strip()


@pytest.mark.parametrize("line", ["raters: ['{0}']", "model: '{0}'"])
def test_a_name_longer_than_any_file_s_is_a_fault_with_its_place(tmp_path, line):
    (tmp_path / "study.yaml").write_text("candidates: [base]\n" + line.format("ü" * 200), encoding="utf-8")
    with pytest.raises(InputError, match=r"study\.yaml:2:"):
        load_study(tmp_path / "study.yaml")


def test_a_prompt_that_names_a_file_is_warned_of(tmp_path):
    (tmp_path / "mine.txt").write_text("Be warm.")
    (tmp_path / "study.yaml").write_text("candidates: [{kind: system_prompt, prompt: mine.txt}]\n")
    with pytest.warns(UserWarning, match=r"did you mean prompt_file: 'mine\.txt'\?"):
        load_study(tmp_path / "study.yaml")


def test_a_persona_is_no_study_and_a_study_no_persona(tmp_path):
    persona, study = Path(loading.__file__).parent / "examples" / "persona.yaml", tmp_path / "study.yaml"
    study.write_text("candidates: [base]\n")
    with pytest.raises(InputError, match="is a persona, not a study; hear it with: holdfast persona talk") as refusal:
        load_study(persona)
    assert len(refusal.value.faults) == 1
    for read in (loading.load_persona, lambda file: loading.load_personas([file])):
        with pytest.raises(InputError, match="is a study, not a persona; run it with: holdfast run") as refusal:
            read(study)
        assert len(refusal.value.faults) == 1


def test_a_key_that_is_there_already_is_not_suggested(tmp_path):
    (tmp_path / "study.yaml").write_text("candidates: [base]\ncandidate: base\n")
    with pytest.raises(InputError, match="unknown key 'candidate'; remove it"):
        load_study(tmp_path / "study.yaml")


def test_each_training_is_an_arm_with_adapters_of_its_own(tmp_path: Path) -> None:
    text = "candidates: [base, routed, {kind: adapter, adapter: solver, name: s}]\ntraining: {replicates: 2}\n"
    study = load(tmp_path, text)
    assert study.candidate_names == ("base", "routed", "routed-2", "s", "s-2")
    assert study.trainings == {"routed": ("routed", "routed-2"), "s": ("s", "s-2")}
    tasks = loading.tasks().values()
    first, second = (arm for arm in study.arms if arm.kind == "routed")
    assert second.by_task(tasks) == {task: f"{name}-2" for task, name in first.by_task(tasks).items()}
    assert [arm.adapter for arm in study.arms if arm.kind == "adapter"] == ["solver", "solver-2"]
    write_study(study, tmp_path / "resolved.yaml")
    assert load_study(tmp_path / "resolved.yaml") == study
    once = load(tmp_path, text.replace("2}", "1}"))
    assert (once.candidate_names, once.trainings) == (("base", "routed", "s"), {})
    assert "replicates" not in json.loads(resolve(once).fingerprint)["training"]
    taken = "candidates: [routed, {kind: base, name: routed-2}]\ntraining: {replicates: 2}\n"
    with pytest.raises(InputError, match="names a candidate 'routed-2'; name yours otherwise"):
        load(tmp_path, taken)
