"""Scripted replies for a persona: kind, cold, asking, advising too early, and what its story answers and contests.

A script is fixed beforehand from the persona as it is, so it stays the same when a field is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, cycle, islice, zip_longest

from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.state import all_topics
from holdfast.personas.schema import Persona
from holdfast.personas.story import StoryFact

#: Turns of the scripts that are to bring up everything.
LONG = 120
#: Seeds of the talks that are only a first message and a goodbye.
GREETINGS = 48

ScriptedReply = tuple[str, Rating]

_COLD = ("I see.", "Noted, thank you.", "That is all there is.")
_ADVICE = (
    "You could make a list.",
    "Try to drink more water.",
    "Start with the smallest box.",
    "You could call a hotline.",
)
_OPEN = ("How was it?", "And then?", "Where?", "Was it loud?", "Is there more?", "Which part?")
_FILLERS = ("Thank you for saying that.", "I am with you.", "Take all the time it needs.")
_NEVER_ENDING = "I hear you, and it is a lot to carry for anybody."


@dataclass(frozen=True, slots=True)
class ReplyScript:
    """A talk's replies. ``seeds``: how often it is held, with other draws."""

    name: str
    replies: tuple[ScriptedReply, ...]
    seeds: int = 1


def scripts_for(persona: Persona) -> Iterator[ReplyScript]:
    """Yield the scripts, the short ones first."""
    yield ReplyScript("greeting", (), GREETINGS)
    for number, fact in enumerate(persona.story.facts if persona.story else ()):
        yield ReplyScript(f"asked for fact {number + 1}", tuple(_asking(fact)), 2)
        if fact.rules_out:
            yield ReplyScript(f"advised against fact {number + 1}", tuple(_advising(fact)), 2)
    yield ReplyScript("early advice", _repeated(_ADVICE, expressed(0, 0.5, 0), 40), 2)
    yield ReplyScript("many questions", _repeated(_three_questions(), expressed(0.5, 0, 2), 30))
    yield ReplyScript("the same again", _repeated((_NEVER_ENDING,), expressed(1.5, 1, 0), 24))
    yield ReplyScript("kind", _kind(persona), 2)
    yield ReplyScript("helpful", _helpful(persona), 2)
    yield ReplyScript("cold", _repeated(_COLD, expressed(0, 0, 0), LONG), 2)


def question_of(phrase: str) -> ScriptedReply:
    """Return a reply that asks for what a story's fact knows."""
    return f"{phrase[:1].upper()}{phrase[1:]}?", expressed(0.5, 0.5, 2)


def advice_of(phrase: str) -> ScriptedReply:
    """Return a reply that advises what a story's fact rules out."""
    return f"You could {phrase}.", expressed(0, 0.5, 0)


def _asking(fact: StoryFact) -> Iterator[ScriptedReply]:
    questions = cycle(map(question_of, fact.asks))
    for filler in islice(cycle(_FILLERS), max(len(fact.says) + 2, len(fact.asks))):
        yield next(questions)
        yield (filler, expressed(1, 1, 0))


def _advising(fact: StoryFact) -> Iterator[ScriptedReply]:
    advice = cycle(map(advice_of, fact.rules_out))
    for filler in islice(cycle(_FILLERS), max(len(fact.contests) + 2, len(fact.rules_out))):
        yield next(advice)
        yield (filler, expressed(1, 1, 0))


def _repeated(texts: tuple[str, ...], rating: Rating, turns: int) -> tuple[ScriptedReply, ...]:
    return tuple((text, rating) for text in islice(cycle(texts), turns))


def _three_questions() -> tuple[str, ...]:
    return " ".join(_OPEN[:3]), " ".join(_OPEN[3:])


def _kind(persona: Persona) -> tuple[ScriptedReply, ...]:
    """Name feelings and topics by turns, with much concern."""
    subjects = cycle(zip_longest(persona.feelings, all_topics(persona), fillvalue="it all"))
    texts = (f"I am sorry that you feel {feeling}, with {topic} on top of it." for feeling, topic in subjects)
    return tuple((text, expressed(2, 2, 0.5)) for text in islice(texts, LONG))


def _helpful(persona: Persona) -> tuple[ScriptedReply, ...]:
    """Say a step for each need by turns, and name everything, so that goals are met and thanks are given."""
    everything = ", ".join(chain(persona.feelings, all_topics(persona)))
    texts = (
        f"You are {everything}, I understand. To {goal.need}, first write down {goal.topic}."
        for goal in cycle(persona.goals)
    )
    return tuple((text, expressed(1.5, 2, 0.5)) for text in islice(texts, LONG // 2))
