"""Where a steering prompt stands, by what real chat templates bear."""

from __future__ import annotations

import pytest

from holdfast.adapters.dialogues.prompting import (
    EXAMPLES_SHOWN,
    LATE,
    SteeringPlaces,
    places_for,
    steering_prompt,
    steering_sha256,
)
from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.prompts import pattern_prompt
from holdfast.core.errors import InputError
from holdfast.core.hashing import sha256
from holdfast.personas.loading import patterns
from tests.adapters.standins import pattern

ALL = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
AT_START = (
    "{% if messages[0].role == 'system' %}<s>{{ messages[0].content }}{% endif %}"
    "{% for m in messages if m.role != 'system' %}<{{ m.role }}>{{ m.content }}{% endfor %}"
)
NO_REPLIES = "{% for m in messages if m.role != 'assistant' %}<{{ m.role }}>{{ m.content }}{% endfor %}"
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + ALL
COMPANION = patterns()["companion"]


@pytest.mark.parametrize(
    ("source", "examples", "places"),
    [
        (ALL, False, LATE),
        (ALL, True, SteeringPlaces("turns", late=True)),
        (AT_START, False, SteeringPlaces(None, late=False)),
        (AT_START, True, SteeringPlaces("turns", late=False)),
        (NO_REPLIES, True, SteeringPlaces("system", late=False)),
        (NO_SYSTEM, True, SteeringPlaces("system", late=True)),
    ],
)
def test_places_are_those_that_the_template_bears(source: str, examples: bool, places: SteeringPlaces) -> None:
    assert places_for(ChatTemplate(source, {}, "m"), examples) == places


def test_behind_an_endpoint_examples_stand_as_turns_and_words_at_the_start() -> None:
    assert places_for(None, True) == SteeringPlaces("turns", late=False)
    assert places_for(None, False) == LATE


def test_words_alone_stand_before_the_newest_message() -> None:
    prompt = steering_prompt(COMPANION, LATE)
    assert (prompt.opening, prompt.again) == ((), pattern_prompt(COMPANION))
    assert steering_sha256(COMPANION, LATE) == sha256(pattern_prompt(COMPANION))


def test_examples_as_turns_are_the_patterns_own_and_drawn_by_the_seed() -> None:
    prompt = steering_prompt(COMPANION, SteeringPlaces("turns"), 1)
    system, *turns = prompt.opening
    pairs = list(zip(turns[::2], turns[1::2], strict=True))
    own = {(example.user, example.reply) for example in COMPANION.examples}
    assert (system.content, prompt.again) == (pattern_prompt(COMPANION), "")  # nothing between them and the talk
    assert len(pairs) == EXAMPLES_SHOWN
    assert {(user.content, reply.content) for user, reply in pairs} <= own
    assert prompt.example_replies == tuple(reply.content for _, reply in pairs)
    assert steering_prompt(COMPANION, SteeringPlaces("turns"), 1) == prompt
    assert any(steering_prompt(COMPANION, SteeringPlaces("turns"), seed) != prompt for seed in range(2, 6))


def test_examples_stand_in_the_system_message_where_turns_would_not_arrive() -> None:
    (message,) = steering_prompt(COMPANION, SteeringPlaces("system", late=False), 1).opening
    assert message.content.startswith(pattern_prompt(COMPANION))
    assert sum(example.reply in message.content for example in COMPANION.examples) == EXAMPLES_SHOWN


def test_the_hash_follows_from_the_examples() -> None:
    fewer = COMPANION.model_copy(update={"examples": COMPANION.examples[1:]})
    places = SteeringPlaces("turns")
    assert steering_sha256(fewer, places) != steering_sha256(COMPANION, places)
    assert steering_sha256(fewer, LATE) == steering_sha256(COMPANION, LATE)


def test_a_pattern_without_examples_is_told() -> None:
    with pytest.raises(InputError, match=r"the pattern warm has no examples to steer by; write some into it"):
        steering_prompt(pattern("warm", 2, 0, 0), SteeringPlaces("turns"))
