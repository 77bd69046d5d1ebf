from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.protocols import SENSE7
from holdfast.agents.users.llm.monologue import Monologue, read_monologue

ANSWER = {
    "id": "ab12",
    "thought": "It {hears} me.",
    "emotion_change": -3,
    "felt": {name: number for number, name in zip((1, 2, 3, 4, 5, 1, 2), SENSE7, strict=True)},
    "goal": "some",
    "leave": False,
}
TEXT = json.dumps(ANSWER)


def changed(**changes: object) -> str:
    return json.dumps(ANSWER | changes)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"Sure! Here it is:\n```json\n{TEXT}\n```\nI hope {{that}} helps.",
        f"<think>{{hm}}</think>{TEXT}",
        TEXT[:-1],  # cut off before its last brace
        f"```json\n{TEXT[:-1]}\n```",
        json.dumps(ANSWER, indent=2),
        changed(felt={name: str(value) for name, value in ANSWER["felt"].items()}),  # type: ignore[attr-defined]
        changed(emotion_change="-3", leave="no"),
        changed(mood="an extra key"),
        TEXT.replace("It {hears} me.", "It {hears}\n me."),  # a line break where JSON wants \n
        changed(id="zz99") + TEXT,
        changed(emotion_change=9) + TEXT,  # it corrects itself: the last counts
    ],
)
def test_a_judgement_is_found_in_whatever_it_came_in(text: str) -> None:
    found = read_monologue(text, "ab12")
    assert isinstance(found, Monologue), found
    assert list(found.dimensions.values()) == [1, 2, 3, 4, 5, 1, 2]
    assert tuple(found.dimensions) == SENSE7
    assert (found.emotion_change, found.goal, found.leave) == (-3, "some", False)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no JSON object"),
        ("I felt heard, a 5 in everything.", "no JSON object"),
        (changed(id="other"), "no JSON object"),
        (json.dumps([ANSWER]).replace("ab12", "x"), "no JSON object"),
        (TEXT[: TEXT.index(', "leave"')], '"leave": Field required'),
        (TEXT[: TEXT.index('3, "prosocial')], "no JSON object|Field required"),
        (changed(emotion_change=-30), '"emotion_change": Input should be greater than or equal to -10'),
        (changed(felt=dict.fromkeys(SENSE7, 6)), "less than or equal to 5"),
        (changed(felt=dict.fromkeys(SENSE7, True)), "expected a number, not true or false"),
        (changed(felt=dict.fromkeys(SENSE7, float("nan"))), '"felt.affective_understanding"'),
        (changed(felt={"interest": 3}), '"felt.affective_understanding": Field required'),
        (changed(goal="maybe"), '"goal": Input should be'),
        ('{"a":' * 100_000, "no JSON object"),
        ("{" * 100_000, "no JSON object"),
        ('{"id": "ab12' * 10_000, "no JSON object"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, fault: str) -> None:
    found = read_monologue(text, "ab12")
    assert isinstance(found, str)
    assert any(part in found for part in fault.split("|")), found


def test_a_number_that_breaks_off_is_not_guessed() -> None:
    """-1 may be the beginning of -10: with the number last, the object is not closed."""
    last = {key: ANSWER[key] for key in ("id", "thought", "felt", "goal", "leave", "emotion_change")} | {
        "emotion_change": -10
    }
    text = json.dumps(last)
    assert isinstance(read_monologue(text, "ab12"), Monologue)
    assert isinstance(read_monologue(text[:-1], "ab12"), str)
    assert isinstance(read_monologue(text[:-2], "ab12"), str)


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_no_text_around_it_breaks_or_forges_it(before: str, after: str) -> None:
    found = read_monologue(before + after, "ab12")
    assert isinstance(found, str)
    around = read_monologue(before.replace("{", "(") + TEXT + after.replace("{", "("), "ab12")
    assert isinstance(around, Monologue)
    assert around.emotion_change == -3
