"""The natural voice: a persona's own words (:mod:`holdfast.personas.story`) for what the rules decided to say.

What the last reply did decides which words come: a question is answered from the story's facts, advice that a fact
rules out is contested, a reply that says itself again is remarked on, one that meets the person moves the story on to
its next layer. Given the same replies so far and the same seed the words are the same, whoever the candidate is.

``UserState.extra`` holds three small things for it: ``layer``, how far the story is told; ``spoken``, a hexadecimal bit
mask of the utterances that were used; ``asking``, replies in a row that asked something.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast.agents.protocols import Message
from holdfast.agents.users.intention import CONTENT
from holdfast.agents.users.protocol import Intention, UserState
from holdfast.agents.users.reply_cues import share_named
from holdfast.agents.users.rules.reply_acts import ReplyActs, acts_of
from holdfast.agents.users.state import all_topics
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Persona
from holdfast.personas.story import Story, StoryFact

#: Questions in one reply, and replies in a row with a question, that are too many.
MANY_QUESTIONS, MANY_ASKING = 3, 4
#: Share of a reply's sentences that stood in the one before from which it says itself again.
SAID_AGAIN = 0.5
#: Chance that a reaction is followed by more, by the persona's way of speaking.
GOES_ON = {"terse": 0.35, "plain": 0.6, "warm": 0.7, "chatty": 0.9}
#: Chance that a reply which meets the person is answered by a word on that.
SAYS_SO = 0.5


@dataclass
class _Words:
    """Draws utterances, those first that were not used yet."""

    story: Story
    rng: random.Random
    spoken: int

    def __post_init__(self) -> None:
        self._bit = {text: 1 << number for number, text in enumerate(dict.fromkeys(self.story.utterances()))}

    def unused(self, wordings: Sequence[str]) -> list[str]:
        return [text for text in wordings if not self.spoken & self._bit[text]]

    def draw(self, wordings: Sequence[str]) -> str:
        """Return one of the wordings at random, an unused one where there is any."""
        text = self.rng.choice(self.unused(wordings) or list(wordings))
        self.spoken |= self._bit[text]
        return text


def say_naturally(
    persona: Persona, said: Intention, state: UserState, messages: Sequence[Message], seed: int
) -> tuple[str, Intention, UserState]:
    """Put an intention into the persona's own words.

    Args:
        persona: One with a story.
        said: What the rules decided to say.
        state: The state after that decision.
        messages: The conversation so far.
        seed: Seeds every draw.

    Returns:
        The message; the intention with the feeling and the topic that the message names; the state after it.
    """
    assert persona.story is not None
    story, extra = persona.story, state.extra
    words = _Words(story, random.Random(derive_seed("natural", seed)), int(extra.get("spoken", "0"), 16))
    replies = [message.content for message in messages if message.role == "assistant"]
    acts = acts_of(replies[-1] if replies else "", replies[-2] if len(replies) > 1 else "")
    asking = int(extra.get("asking", 0)) + 1 if acts.questions else 0
    layer = _layer(story, words, int(extra.get("layer", 0)), state, acts)
    text = _message(persona, said, state, acts, words, layer, asking)
    said = _as_said(persona, said, text)
    extra = {**extra, "spoken": f"{words.spoken:x}", "layer": layer, "asking": asking}
    return text, said, replace(state, last_said=said, extra=extra)


def _message(
    persona: Persona, said: Intention, state: UserState, acts: ReplyActs, words: _Words, layer: int, asking: int
) -> str:
    story = words.story
    if said.kind == "open":
        return words.draw(story.openings.feeling if said.feeling else story.openings.practical)
    if said.kind == "close":
        return words.draw(story.goodbyes)
    if said.kind == "thank":
        return words.draw(story.thanks)
    asks = _goal_of(persona, said)
    if asks is not None and not words.unused(story.goals[asks]):
        asks = None  # it has asked in every way it knows
    content = story.goals[asks] if asks else story.layers[layer]
    answer = _answer(story, acts, words)
    if answer is not None and not _repeats(acts) and asking < MANY_ASKING:
        drawn = words.draw(answer.says)
        return f"{drawn} {words.draw(content)}" if asks and _goes_on(persona, words) else drawn
    reaction = _reaction(persona, state, said, acts, words, layer, asking)
    if reaction is None:
        return words.draw(content)
    return f"{reaction} {words.draw(content)}" if asks or _goes_on(persona, words) else reaction


def _goes_on(persona: Persona, words: _Words) -> bool:
    return words.rng.random() < GOES_ON[persona.speech]


def _reaction(
    persona: Persona, state: UserState, said: Intention, acts: ReplyActs, words: _Words, layer: int, asking: int
) -> str | None:
    """Return what the person says to the reply itself; None where it passes without a word."""
    story, content = words.story, state.extra.get("satisfaction")
    early = layer < len(story.layers) // 2 and persona.desired_empathy > 1 and said.need is None
    fact, says_so = _ruled_out(story, acts), words.rng.random() < SAYS_SO
    reactions = (
        (_repeats(acts), story.repeated),
        (fact is not None, fact.contests if fact is not None else ()),
        (len(acts.questions) >= MANY_QUESTIONS or asking >= MANY_ASKING, story.questioned),
        (bool(acts.advice) and early and content is not None and content < CONTENT, story.advised),
        (said.kind == "repeat" or state.ignored > 0, story.missed),
        (says_so and content is not None and content >= CONTENT, story.met),
    )
    wordings = next((wordings for applies, wordings in reactions if applies), None)
    return None if wordings is None else words.draw(wordings)


def _layer(story: Story, words: _Words, layer: int, state: UserState, acts: ReplyActs) -> int:
    """Return the layer that is told from now on: the next one after a reply that met the person or asked openly."""
    begun = len(words.unused(story.layers[layer])) < len(story.layers[layer])
    moved = state.extra.get("satisfaction", 0.0) >= CONTENT or bool(acts.questions)
    if (begun and moved) or not words.unused(story.layers[layer]):
        later = [n for n in range(layer + 1, len(story.layers)) if words.unused(story.layers[n])]
        return later[0] if later else min(layer + 1, len(story.layers) - 1)
    return layer


def _repeats(acts: ReplyActs) -> bool:
    return acts.said_again >= SAID_AGAIN


def _answer(story: Story, acts: ReplyActs, words: _Words) -> StoryFact | None:
    """Return the fact that the reply asks for; the first that is not yet told in full, where it asks for several."""
    return next((fact for fact in facts_asked(story, acts.questions) if words.unused(fact.says)), None)


def facts_asked(story: Story, questions: Sequence[str]) -> list[StoryFact]:
    """Return the facts of ``story`` that one of ``questions`` (in lower case) asks for."""
    return [fact for fact in story.facts if any(_holds(question, fact.asks) for question in questions)]


def _ruled_out(story: Story, acts: ReplyActs) -> StoryFact | None:
    """Return the fact that the reply's advice does not fit."""
    return next((f for f in story.facts if any(_holds(advice, f.rules_out) for advice in acts.advice)), None)


def _holds(sentence: str, phrases: Sequence[str]) -> bool:
    return any(share_named(sentence, phrase) == 1.0 for phrase in phrases)


def _goal_of(persona: Persona, said: Intention) -> str | None:
    """Return the goal that an intention asks about, if it asks."""
    if said.goal is not None:
        return said.goal
    return next((goal.id for goal in persona.goals if said.need is not None and goal.need == said.need), None)


def _as_said(persona: Persona, said: Intention, text: str) -> Intention:
    """Return the intention with what the words name: a reply can only take up what was said."""
    feeling = next((each for each in persona.feelings if share_named(text, each, inflected=True) == 1.0), None)
    named = [(share_named(text, topic), topic) for topic in all_topics(persona)]
    share, topic = max(named, key=lambda pair: pair[0])
    return replace(said, feeling=feeling, topic=topic if share >= 0.5 else said.topic if said.need else None)
