"""Sample the training documents of the embedded base: conversations from a small synthetic world.

In recipe ``cue`` (the shipped one) a conversation under a system prompt is short (1-3 turns) and its style is what the
prompt asks for; a long one has no prompt, and each reply follows the cue of what the user *just* said: a feeling is met
with empathy more often than a practical question. In neither does the style depend on how many turns have passed: given
the prompt and the cue, every turn draws from the same distribution. Nothing shows a prompted style fading.

The other recipes are ablations. ``constant``: a long conversation without a prompt keeps one style from its first reply
to its last. ``long_prompted``: as ``cue``, but half of the long conversations stand under a system prompt at their
start and keep its style to their end.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast.adapters.micro.lexicon import Lexicon, load_lexicon
from holdfast.adapters.micro.replies import Style, load_replies
from holdfast.agents.prompts import level_sentence, read_prompt
from holdfast.agents.protocols import Message
from holdfast.agents.users.protocol import Intention
from holdfast.agents.users.rules.speech import Tone, say

Recipe = Literal["cue", "constant", "long_prompted", "whole"]
PARTS = ("emotional_reaction", "interpretation", "exploration", "advice")
TONES: tuple[Tone, ...] = ("plain", "plain", "warm", "terse", "chatty", "curt")
KINDS = ("feel", "ask", "tell", "repeat", "thank")
KIND_WEIGHTS = (38, 34, 12, 9, 7)
PROMPTED_TURNS = 3  # at most, of a prompted conversation; longer ones have no prompt, but in recipe long_prompted
LONG_PROMPTED = 0.5  # share of longer conversations that are prompted there
LATE_PROMPT = 0.15  # share of prompted conversations whose prompt comes after some unprompted turns

# Chances of level 0, 1, 2 of each part, given what the user just said.
CUE_STYLES: dict[str, dict[str, tuple[float, float, float]]] = {
    "feeling": {
        "emotional_reaction": (0.30, 0.45, 0.25),
        "interpretation": (0.60, 0.20, 0.20),
        "exploration": (0.50, 0.30, 0.20),
        "advice": (0.45, 0.40, 0.15),
    },
    "practical": {
        "emotional_reaction": (0.94, 0.05, 0.01),
        "interpretation": (0.97, 0.02, 0.01),
        "exploration": (0.85, 0.10, 0.05),
        "advice": (0.02, 0.23, 0.75),
    },
    "other": {
        "emotional_reaction": (0.85, 0.13, 0.02),
        "interpretation": (0.90, 0.08, 0.02),
        "exploration": (0.60, 0.25, 0.15),
        "advice": (0.45, 0.40, 0.15),
    },
}


@dataclass(frozen=True, slots=True)
class WorldTurn:
    """One turn of a document: the user's intention and message, and the style and text of the reply."""

    said: Intention
    user: str
    style: Style
    reply: str
    prompt: str | None = None  # a system message right before this turn


@dataclass(frozen=True, slots=True)
class Document:
    """One conversation of the world."""

    turns: tuple[WorldTurn, ...]

    def messages(self) -> tuple[Message, ...]:
        """Return the messages as a chat template takes them."""
        return tuple(message for turn in self.turns for message in _turn_messages(turn))


def cue(said: Intention) -> str:
    """Classify an intention: ``feeling``, ``practical`` or ``other``; unprompted replies depend on it."""
    if said.kind == "ask" or (said.need and not said.feeling):
        return "practical"
    return "feeling" if said.feeling else "other"


def documents(
    rng: random.Random, *, recipe: Recipe, prompted_share: float, long_turns: tuple[int, int]
) -> Iterator[Document]:
    """Yield conversations without end: prompted ones of 1-3 turns, others of ``long_turns`` (inclusive).

    In recipe ``long_prompted`` half of those others that have more than three turns are prompted at their start.
    """
    lexicon = load_lexicon()
    while True:
        if rng.random() < prompted_share:
            yield prompted_document(rng, lexicon, turns=rng.randint(1, PROMPTED_TURNS))
            continue
        turns = rng.randint(*long_turns)
        if recipe == "long_prompted" and turns > PROMPTED_TURNS and rng.random() < LONG_PROMPTED:
            yield prompted_document(rng, lexicon, turns=turns, late=0.0)
        else:
            yield long_document(rng, lexicon, turns=turns, constant=recipe == "constant")


def prompted_document(rng: random.Random, lexicon: Lexicon, *, turns: int, late: float = LATE_PROMPT) -> Document:
    """Sample a conversation in the style that its system prompt asks for; it comes later with the chance ``late``."""
    style = Style(*(rng.randrange(3) for _ in PARTS))
    start = rng.randint(1, turns - 1) if turns > 1 and rng.random() < late else 0
    made: list[WorldTurn] = []
    for number, said in enumerate(intentions(rng, lexicon, turns)):
        prompt = style_prompt(style, rng) if number == start else None
        made.append(make_turn(rng, said, style if number >= start else cue_style(said, rng), prompt))
    return Document(tuple(made))


def long_document(rng: random.Random, lexicon: Lexicon, *, turns: int, constant: bool = False) -> Document:
    """Sample a conversation without a prompt; replies follow the cue, or keep one style (``constant``)."""
    kept = Style(*(rng.randrange(3) for _ in PARTS)) if constant else None
    return Document(
        tuple(make_turn(rng, said, kept or cue_style(said, rng)) for said in intentions(rng, lexicon, turns))
    )


def cue_style(said: Intention, rng: random.Random) -> Style:
    """Draw the style of an unprompted reply, given the cue of the user's message alone."""
    chances = CUE_STYLES[cue(said)]
    return Style(*(rng.choices((0, 1, 2), chances[part])[0] for part in PARTS))


def style_prompt(style: Style, rng: random.Random) -> str:
    """Return a system prompt for a style: half in the words of ``agents/prompts``, half paraphrased and shuffled."""
    grammar = load_replies()
    if rng.random() < 0.5:
        return " ".join([read_prompt("intro"), *(level_sentence(part, getattr(style, part)) for part in PARTS)])
    sentences = [
        rng.choice((level_sentence(part, getattr(style, part)), *grammar.paraphrases[part, getattr(style, part)]))
        for part in PARTS
    ]
    rng.shuffle(sentences)
    return " ".join([rng.choice(grammar.introductions), *sentences])


def intentions(rng: random.Random, lexicon: Lexicon, turns: int) -> Iterator[Intention]:
    """Yield what a user of this world wants to say, turn by turn."""
    topic, feeling, need = lexicon.topic(rng), lexicon.feeling(rng), lexicon.need(rng)
    for number in range(turns):
        kind = "open" if number == 0 else rng.choices(KINDS, KIND_WEIGHTS)[0]
        if kind != "repeat":
            topic = lexicon.topic(rng) if rng.random() < 0.6 else topic
            feeling = lexicon.feeling(rng) if rng.random() < 0.7 else feeling
            need = lexicon.need(rng)
        yield _intention(rng, kind, feeling, topic, need)


def _intention(rng: random.Random, kind: str, feeling: str, topic: str, need: str) -> Intention:
    if kind in ("open", "repeat"):
        kept = rng.choice(("feeling", "need", "topic")) if kind == "open" else rng.choice(("feeling", "need"))
        return Intention(
            kind,  # type: ignore[arg-type]
            feeling=feeling if kept == "feeling" else None,
            topic=topic if rng.random() < 0.85 or kind == "open" else None,
            need=need if kept == "need" else None,
        )
    if kind == "feel":
        return Intention("feel", feeling=feeling, topic=topic if rng.random() < 0.85 else None)
    if kind == "ask":
        spoken = rng.choices(("both", "need", "topic"), (65, 15, 20))[0]
        return Intention("ask", topic=None if spoken == "need" else topic, need=None if spoken == "topic" else need)
    if kind == "tell":
        return Intention("tell", feeling=feeling if rng.random() < 0.4 else None, topic=topic)
    return Intention("thank", topic=topic if rng.random() < 0.5 else None)


def make_turn(rng: random.Random, said: Intention, style: Style, prompt: str | None = None) -> WorldTurn:
    """Put an intention and a style into words."""
    user = say(said, rng.choice(TONES), rng.getrandbits(48))
    return WorldTurn(said, user, style, load_replies().reply(style, said, rng), prompt)


def _turn_messages(turn: WorldTurn) -> tuple[Message, ...]:
    system = (Message("system", turn.prompt),) if turn.prompt else ()
    return (*system, Message("user", turn.user), Message("assistant", turn.reply))
