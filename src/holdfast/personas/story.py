"""A persona's story: what happened, and its own words for it, from which the natural voice speaks.

Rules decide *what* a user means (:mod:`holdfast.agents.users.intention`); the story has the words. Everything is
written by hand for one person: what they tell of themselves and in which order, what they answer when asked, how they
take a reply that meets them, misses them, advises too early, asks too much, or says itself again.
"""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from holdfast.personas.frozen import Frozen, unheard

Utterance = Annotated[str, Field(min_length=2, max_length=600)]
Word = Annotated[str, Field(min_length=2, max_length=80)]
Wordings = Annotated[tuple[Utterance, ...], Field(min_length=1, max_length=12)]
Passage = Annotated[str, Field(min_length=20, max_length=2000)]


class StoryFact(Frozen):
    """Something that the person knows and tells when asked for it.

    Attributes:
        asks: Words of a question that asks for it: all words of one of these stand in the question.
        says: The answer, in several wordings.
        rules_out: Advice that cannot be right, given the fact: all words of one of these stand in the advice.
        contests: What the person says to such advice.
    """

    asks: Annotated[tuple[Word, ...], Field(min_length=1, max_length=20)]
    says: Wordings
    rules_out: Annotated[tuple[Word, ...], Field(max_length=20)] = ()
    contests: Annotated[tuple[Utterance, ...], Field(max_length=6)] = ()

    @model_validator(mode="after")
    def _contests_what_it_rules_out(self) -> Self:
        if bool(self.rules_out) != bool(self.contests):
            raise ValueError("'rules_out' and 'contests' go together: the advice, and what the person says to it")
        return self


class Openings(Frozen):
    """First messages: about how the person feels, and about what is to be done."""

    feeling: Wordings
    practical: Wordings


class Story(Frozen):
    """What happened to a person, and the person's words.

    Attributes:
        happened: The whole of it, for whoever reads the file or writes the person's words.
        people: Who is involved; for the same.
        tried: What the person has tried; for the same.
        never: What this person would never say: a story that says it all the same is refused.
        openings: First messages.
        layers: What the person tells of itself, from the outside in; each layer in several messages. A reply that meets
            the person moves it on to the next.
        facts: What it answers when asked.
        goals: How it asks for help, by the goal's id.
        met, missed, advised, questioned, repeated: Reactions to a reply that meets the person, passes over what was
            said, advises before listening, asks too much, says the reply before again.
        thanks, goodbyes: At the end of a matter, of a talk.
    """

    happened: Annotated[Passage, unheard("the whole of it, for whoever writes or reads the person's words")]
    people: Annotated[tuple[Word, ...], unheard("who is involved, for whoever writes or reads the words")] = ()
    tried: Annotated[tuple[Utterance, ...], unheard("what was tried, for whoever writes or reads the words")] = ()
    never: Annotated[tuple[Word, ...], unheard("what the person would not say: a story that says it is refused")] = ()
    openings: Openings
    layers: Annotated[tuple[Wordings, ...], Field(min_length=3, max_length=30)]
    facts: Annotated[tuple[StoryFact, ...], Field(min_length=2, max_length=30)]
    goals: dict[str, Wordings]
    met: Wordings
    missed: Wordings
    advised: Annotated[
        Wordings,
        unheard(
            "said to advice that comes too early; whoever hopes for little empathy never finds it so", desired_empathy=1
        ),
    ]
    questioned: Wordings
    repeated: Wordings
    thanks: Wordings
    goodbyes: Wordings

    def utterances(self) -> Iterator[str]:
        """Yield everything that the person may say, always in the same order."""
        yield from (*self.openings.feeling, *self.openings.practical)
        for layer in self.layers:
            yield from layer
        for fact in self.facts:
            yield from (*fact.says, *fact.contests)
        for wordings in self.goals.values():
            yield from wordings
        for wordings in (self.met, self.missed, self.advised, self.questioned, self.repeated, self.thanks):
            yield from wordings
        yield from self.goodbyes
