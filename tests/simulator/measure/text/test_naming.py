import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.agents.users.protocol import Intention
from holdfast.simulator.measure.bootstrap import Resamples
from holdfast.simulator.measure.text.naming import names, naming
from tests.simulator.measure.making import episode, rng

FEELINGS = ("anxious", "tired", "left out", "so tired")


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("my report", "What about your report?", True),
        ("the report", "MY  REPORT is late", True),
        ("my report", "The reports are late", False),  # whole words
        ("my report", "A report is late", False),  # the article is part of the name
        ("report", "your report", True),
        ("the talk with my boss", "Tell me about your talk with your boss.", True),
        ("anxious", "Being Anxious, I see", True),
        ("anxious", "overanxious", False),
        ("c++ course", "that C++ course again", True),
    ],
)
def test_whole_words_and_determiners(phrase, text, expected):
    assert names(phrase, text) is expected


def shares(replies, said, user, task="burnout"):
    """Shares of turns (feeling, topic, either) over episodes of one turn each."""
    episodes = [
        episode([(1, 1, 1)], said=said, user=user, reply=reply, task=task, persona=f"p{i}")
        for i, reply in enumerate(replies)
    ]
    found = naming(episodes, {"burnout"}, FEELINGS)
    resamples = Resamples.of([e.spec.persona for e in episodes], rng())
    return [found.share(kind, resamples) for kind in ("feeling", "topic", "either")]


def test_by_hand():
    said, user = Intention("feel", feeling="anxious", topic="my report"), "I feel anxious about my report."
    replies = [
        "Feeling anxious about your report is hard.",  # both
        "Your report sounds hard.",  # the topic
        "It is hard to be anxious.",  # the feeling
        "It is hard to be tired of your report.",  # the topic, but another feeling: neither
        "I see.",  # neither
    ]
    feeling, topic, either = shares(replies, said, user)
    assert (feeling.mean, topic.mean, either.mean) == (pytest.approx(2 / 5), pytest.approx(2 / 5), pytest.approx(3 / 5))
    assert feeling.n == topic.n == either.n == 5
    assert 0 <= either.lo < either.mean < either.hi <= 1


def test_what_the_message_does_not_say_does_not_count():
    said = Intention("feel", feeling="anxious", topic="my report")
    feeling, topic, either = shares(["Anxious about it?"], said, "I feel anxious today.")
    assert (feeling.mean, feeling.n, topic.n, either.n) == (1.0, 1, 0, 1)
    assert math.isnan(topic.mean)


def test_a_feeling_inside_a_longer_one_is_not_another():
    feeling, *_ = shares(["So tired, I see."], Intention("feel", feeling="tired"), "I am so tired.")
    assert feeling.mean == 1.0  # "so tired" holds the user's own word


def test_only_tasks_that_ask_for_it_count():
    *_, either = shares(["anxious"], Intention("feel", feeling="anxious"), "I am anxious.", task="bug_hunt")
    assert either.n == 0
    assert math.isnan(either.mean)


def test_a_share_of_turns_not_of_episodes():
    # ana: 3 turns, all named; ben: 1 turn, not named: 3 of 4 turns, though 1 of 2 episodes' shares
    said, user = Intention("feel", feeling="anxious"), "I am anxious."
    episodes = [
        episode([(1, 1, 1)] * 3, said=said, user=user, reply="Anxious?", persona="ana"),
        episode([(1, 1, 1)], said=said, user=user, reply="Hm.", persona="ben"),
    ]
    found = naming(episodes, {"burnout"}, FEELINGS).share("either", Resamples.of(["ana", "ben"], rng()))
    assert (found.mean, found.n) == (0.75, 4)


@given(st.text(min_size=1).filter(str.split), st.text())
def test_any_phrase_names_itself_and_nothing_breaks(phrase, text):
    names(phrase, text)
    plain = "".join(c for c in phrase if c.isascii() and (c.isalnum() or c == " ")).strip()
    if plain:
        assert names(plain, f"- {plain.upper()} -")
