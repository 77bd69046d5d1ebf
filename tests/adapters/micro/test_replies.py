"""The reply grammar: many wordings for every style and everything known, and no name that the user did not say."""

from __future__ import annotations

import random
import re
from itertools import product

import pytest

from holdfast.adapters.micro.lexicon import load_lexicon
from holdfast.adapters.micro.replies import ORDER, Style, load_replies
from holdfast.agents.naming import DETERMINERS
from holdfast.agents.users.protocol import Intention
from holdfast.personas.loading import library, tasks

SAID = {
    "feeling and topic": Intention("feel", feeling="anxious", topic="the report"),
    "feeling": Intention("feel", feeling="anxious"),
    "topic": Intention("tell", topic="the report"),
    "need": Intention("ask", topic="the report", need="sort the slides"),
    "nothing": Intention("thank"),
}


def runs(text: str, longest: int = 5) -> set[tuple[str, ...]]:
    """All runs of up to ``longest`` words; determiners are alike, as in names()."""
    words = ["the" if word in DETERMINERS else word for word in re.findall(r"[\w'-]+", text.casefold())]
    return {tuple(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(i + longest, len(words)) + 1)}


def fixed_wordings() -> list[str]:
    grammar = load_replies()
    frames = [frame.text for families in grammar.frames.values() for family in families for frame in family]
    return [*frames, *grammar.nothing, *(step for family in grammar.steps for step in family)]


@pytest.mark.parametrize(("part", "level", "known"), [*product(ORDER, (1, 2), SAID)])
def test_each_level_has_hundreds_of_wordings_for_whatever_is_known(part: str, level: int, known: str) -> None:
    rng, grammar = random.Random(0), load_replies()
    style = Style(**{name: level if name == part else 0 for name in ORDER})
    said = {grammar.reply(style, SAID[known], rng) for _ in range(2000)}
    assert len(said) >= 200


def test_families_of_wordings_are_drawn_alike() -> None:
    """Of what says most of a feeling alone, emotional reaction 1 has two families, of 192 and of 900 wordings."""
    rng, grammar = random.Random(0), load_replies()
    drawn = [grammar.reply(Style(1, 0, 0, 0), SAID["feeling"], rng) for _ in range(2000)]
    assert sum("hope" in reply for reply in drawn) / len(drawn) == pytest.approx(0.5, abs=0.05)


def test_no_fixed_wording_names_what_a_user_may_say() -> None:
    people, contexts = library().values(), tasks().values()
    said = {name for each in people for name in (*each.feelings, *each.topics, *(g.topic for g in each.goals))}
    said |= {name for each in contexts for name in (*each.topics, *each.needs)} | set(load_lexicon().feelings)
    assert len(said) > 700
    wordings = {run for text in fixed_wordings() for run in runs(text)}
    assert {("to", "hear", "the"), ("the", "desk")} <= wordings
    assert not {phrase for phrase in said if max(runs(phrase), key=len) in wordings}


def test_a_reply_has_a_sentence_for_each_mechanism_of_its_style_in_order() -> None:
    reply = load_replies().reply(Style(2, 2, 2, 2), SAID["feeling and topic"], random.Random(1))
    assert reply.count("?") == 1
    assert reply.endswith("?")
    assert reply.count(".") == 4
