"""Tasks and patterns of one's own beside the shipped ones: read with all their faults, named once, and found."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast import personas
from holdfast.core.errors import InputError
from holdfast.personas.loading import load_persona, patterns, tasks
from holdfast.personas.world import shipped_world, world_with

EXAMPLES = Path(personas.__file__).parent / "examples"
TASK, PATTERN = (EXAMPLES / f"{name}.yaml" for name in ("task", "pattern"))


def faults(*own: object) -> str:
    with pytest.raises(InputError) as caught:
        world_with(*own)  # type: ignore[arg-type]
    return str(caught.value)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_examples_are_a_world() -> None:
    world = world_with([TASK], [PATTERN])
    assert [task.id for task in world.own_tasks] == ["broken_line"]
    assert [pattern.id for pattern in world.own_patterns] == ["calm_helper"]
    assert world.pattern_of("broken_line").id == "solver"
    assert world.tasks.keys() == {*tasks(), "broken_line"}
    assert world.patterns.keys() == {*patterns(), "calm_helper"}
    again = world_with(world.own_tasks, world.own_patterns)
    assert again == world
    assert world_with() == shipped_world()


def test_an_unknown_task_has_no_pattern() -> None:
    assert shipped_world().pattern_of("burnout").id == "companion"
    with pytest.raises(InputError, match="no task 'burnot'; did you mean 'burnout'"):
        shipped_world().pattern_of("burnot")


def test_a_folder_of_tasks_that_name_an_own_pattern(tmp_path: Path) -> None:
    text = TASK.read_text(encoding="utf-8")
    written(tmp_path, "a.yaml", text.replace("pattern: solver", "pattern: calm_helper"))
    written(tmp_path, "b.yaml", text.replace("id: broken_line", "id: other_line"))
    world = world_with([tmp_path], [PATTERN])
    assert [task.id for task in world.own_tasks] == ["broken_line", "other_line"]
    assert world.pattern_of("broken_line").id == "calm_helper"
    message = faults([tmp_path])
    assert f"{tmp_path}/a.yaml:10:10: unknown pattern 'calm_helper'" in message
    assert "(allowed: coach, companion, mentor or solver; your own by --patterns FILE, or in" in message


def test_ids_are_taken_once(tmp_path: Path) -> None:
    text = TASK.read_text(encoding="utf-8")
    shipped = written(tmp_path, "a.yaml", text.replace("id: broken_line", "id: burnout"))
    assert faults([shipped]) == f"{shipped}: task id 'burnout' is holdfast's own; rename yours, or name it once"
    other = written(tmp_path, "b.yaml", text.replace("title: ", "title: Another "))
    assert faults([TASK, other]) == f"{other}: task id 'broken_line' is given twice; rename yours, or name it once"
    assert len(world_with([TASK, TASK]).own_tasks) == 1  # the same one, named by a study and again beside it
    solver = written(tmp_path, "p.yaml", PATTERN.read_text(encoding="utf-8").replace("calm_helper", "solver"))
    assert faults([], [solver]) == f"{solver}: pattern id 'solver' is holdfast's own; rename yours, or name it once"


def test_every_fault_is_told_with_its_place(tmp_path: Path) -> None:
    bad = written(
        tmp_path, "p.yaml", "id: Calm\ntitle: C\ndescription: d\ntarget: {emotional_reaction: 3}\nadvise: 2\n"
    )
    lines = faults([], [bad]).splitlines()
    assert [line.removeprefix(f"{bad}:").split(": ")[0] for line in lines] == ["1:5", "4:9", "4:9", "4:30", "5:1"]
    assert "did you mean 'advice'" in lines[-1]


def test_a_task_made_in_python_names_a_pattern_that_exists() -> None:
    (task,) = world_with([TASK]).own_tasks
    lost = task.model_copy(update={"pattern": "calm"})
    assert faults([lost]).startswith("task 'broken_line': unknown pattern 'calm'")


def test_a_persona_has_one_of_the_tasks_that_there_are(tmp_path: Path) -> None:
    text = (EXAMPLES / "persona.yaml").read_text(encoding="utf-8")
    mine = written(tmp_path, "me.yaml", text.replace("task: plan_project", "task: broken_line"))
    assert load_persona(mine, world_with([TASK]).tasks).task == "broken_line"
    with pytest.raises(InputError, match="unknown task 'broken_line'"):
        load_persona(mine)


@pytest.mark.parametrize("file", [TASK, PATTERN])
@settings(max_examples=150, deadline=2000)
@given(data=st.data())
def test_mutated_files_are_read_or_refused_with_their_place(file: Path, data: st.DataObject) -> None:
    text = file.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 30))
    put = data.draw(st.text(st.sampled_from("abz09:-[]{}'\"\n\t #&*!|>%@\u202e\x00😀"), max_size=12))
    path = Path(tempfile.gettempdir()) / f"mutated-{os.getpid()}.yaml"
    path.write_text(text[:at] + put + text[at + cut :], encoding="utf-8")
    with suppress(InputError):
        world_with([path], []) if file is TASK else world_with([], [path])
