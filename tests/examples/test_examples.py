"""Every example folder runs, through its own run.py and the real embedded model."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from holdfast.agents.assistants.app import read_app_answer
from holdfast.agents.assistants.exchange_store import read_exchanges
from holdfast.agents.naming import names
from holdfast.personas.checks import language_doubt
from holdfast.personas.loading import library, load_personas
from holdfast.personas.world import world_with
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study_file import load_study

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/study.yaml"))
SLOW = {EXAMPLES / "ray"} | {folder for folder in FOLDERS if load_study(folder / "study.yaml").training is not None}


def run(folder: Path, out: Path, turns: int) -> dict[str, object]:
    spec = importlib.util.spec_from_file_location(f"example_{folder.name}", folder / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(out, turns=turns)
    results: dict[str, object] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return results


def test_there_are_examples_and_each_has_a_readme() -> None:
    named = {
        "telecom",
        "triage_es",
        "endpoints",
        "field_candidates",
        "own_persona",
        "population",
        "ray",
        "stress_test",
        "two_simulators",
    }
    assert named <= {folder.name for folder in FOLDERS}
    assert all((folder / "README.md").exists() and (folder / "run.py").exists() for folder in FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_readmes_commands_and_the_script_write_to_folders_of_their_own(folder: Path) -> None:
    """Whoever runs both in a row is not told that the folder is taken."""
    commands = re.findall(r"holdfast run .*--out ([\w/.-]+)", (folder / "README.md").read_text(encoding="utf-8"))
    (script,) = re.findall(r'"(runs/\w+)"', (folder / "run.py").read_text(encoding="utf-8"))
    assert script not in commands
    assert commands or folder.name == "endpoints"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_study_resolves(folder: Path) -> None:
    assert resolve(load_study(folder / "study.yaml")).episodes


def test_exchanges_of_examples_are_of_nobody_in_the_library() -> None:
    files = list(EXAMPLES.glob("*/exchanges.jsonl"))
    assert files
    texts = [text for file in files for each in read_exchanges(file) for text in (each.situation, each.reply)]
    people = library().values()
    phrases = {phrase for person in people for phrase in (person.name, *person.topics)}
    phrases |= {phrase for person in people for goal in person.goals for phrase in (goal.need, goal.topic)}
    assert {phrase for phrase in phrases for text in texts if names(phrase, text)} == set()


def test_every_persona_of_an_example_is_right() -> None:
    files = list(EXAMPLES.glob("*/persona*.yaml"))
    assert files
    assert len(load_personas(files)) == len(files)
    for folder in ("telecom", "triage_es"):
        world = world_with([EXAMPLES / folder / "task.yaml"], [EXAMPLES / folder / "pattern.yaml"])
        own = load_personas([EXAMPLES / folder / "personas"], world.tasks)
        assert len(own) == 3
        assert [language_doubt(persona) for persona in own] == [""] * 3


def test_the_bot_of_an_example_answers_behind_an_address() -> None:
    testclient = pytest.importorskip("fastapi.testclient")
    spec = importlib.util.spec_from_file_location("bot", EXAMPLES / "telecom" / "bot.py")
    assert spec is not None
    assert spec.loader is not None
    bot = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bot)
    turn = {"conversation": "c" * 16, "turn": 1, "history": [], "message": "The red light is on.", "seed": 1}
    answer = testclient.TestClient(bot.app).post("/reply", json=turn).json()
    reply = read_app_answer(answer, "bot")
    assert reply.text.startswith("I am sorry that the line is down.\n\nPlease look at the router")
    assert "line_status" in reply.kept


@pytest.mark.parametrize(
    "folder",
    [pytest.param(folder, marks=[pytest.mark.slow] if folder in SLOW else []) for folder in FOLDERS],
    ids=lambda folder: folder.name,
)
@pytest.mark.timeout(900)
def test_every_example_runs(folder: Path, tmp_path: Path) -> None:
    results = run(folder, tmp_path / "run", turns=2)
    assert results["failed_episodes"] == 0
    assert results["turns"] == 2
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
