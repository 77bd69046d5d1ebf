"""New persona files: what is given stands there, the rest says that it is a default, and it is always a persona."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import InputError
from holdfast.personas.drafting import PersonaDraft, check_draft, defaults_of, draft_yaml, persona_id_of
from holdfast.personas.loading import tasks
from holdfast.personas.schema import Persona

AWKWARD = (
    "no",
    "1e3",
    "0x1F",
    "null",
    "a: b",
    "- a",
    "#x",
    'it\'s "so"',
    "{a}",
    "yes and no",
    "~",
    "é ü",
    "a  b",
    "@x",
    "12:30",
)


def read(draft: PersonaDraft) -> Persona:
    return check_draft(draft_yaml(draft, tasks()), "x.yaml", tasks())


@pytest.mark.parametrize("task", tasks())
def test_a_name_and_a_task_are_enough(task: str) -> None:
    persona = read(PersonaDraft("Zoë O'Neil", task=task))
    assert (persona.id, persona.name, persona.task) == ("zoe_o_neil", "Zoë O'Neil", task)
    assert {goal.need for goal in persona.goals} <= set(tasks()[task].needs)


def test_what_is_given_stands_there_and_the_rest_says_that_it_is_a_default() -> None:
    draft = PersonaDraft("Ana", speech="terse", desired_empathy=3, feelings=["tired"], goals=[("rest", "the week")])
    persona, text = read(draft), draft_yaml(draft, tasks())
    assert (persona.speech, persona.desired_empathy, persona.feelings) == ("terse", 3, ("tired",))
    assert [(goal.need, goal.topic) for goal in persona.goals] == [("rest", "the week")]
    assert defaults_of(draft) == ["task", "background", "topics", "language", "patience"]
    marked = [line.split(":")[0] for line in text.splitlines() if "change" in line or "add more" in line]
    assert marked == ["task", "background", "language", "topics", "patience"]


@pytest.mark.parametrize("text", AWKWARD)
def test_text_is_read_back_as_it_was(text: str) -> None:
    persona = read(PersonaDraft(text, id="x", background=text, feelings=[text], goals=[(text, text)], topics=[text]))
    assert (persona.name, persona.feelings, persona.topics) == (text, (text,), (text,))
    assert (persona.goals[0].need, persona.goals[0].topic) == (text, text)
    assert persona.background == " ".join(text.split())


PRINTABLE = st.text(st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"]), min_size=1, max_size=30)


@settings(max_examples=150, deadline=None)
@given(PRINTABLE, st.lists(PRINTABLE, max_size=3), st.text(max_size=200))
def test_any_text_is_a_persona_or_one_error(name: str, words: list[str], background: str) -> None:
    draft = PersonaDraft(name, background=background, feelings=words, notes=[f"From {name}."])
    persona, faults = None, ()
    try:
        persona = read(draft)
    except InputError as error:
        faults = error.faults
    assert (persona is None) == bool(faults)
    assert all(fault.message.startswith("not written: ") for fault in faults)
    if persona is not None:
        assert (persona.name, persona.feelings) == (name, tuple(words) or ("unsure",))


def test_ids_are_made_of_names() -> None:
    rng = random.Random(1)
    for name in (
        "Zoë O'Neil",
        "李雷",
        "3 Amigos",
        "",
        "x" * 90,
        *("".join(map(chr, rng.sample(range(32, 900), 9))) for _ in range(50)),
    ):
        persona = read(PersonaDraft("Ana", id=persona_id_of(name)))
        assert persona.id == persona_id_of(name)
