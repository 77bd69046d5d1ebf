"""Compose an assistant's replies in the embedded world: a style put into words, about what the user just said.

A style is a level 0-2 per EPITOME mechanism and of advice. A reply has at most one sentence per mechanism, two of
advice, and names each thing that the user just said (feeling, topic, need) at most once.
"""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from holdfast.agents.frames import Frame, alternatives, capitalised, fullest
from holdfast.agents.users.protocol import Intention

ORDER = ("emotional_reaction", "interpretation", "advice", "exploration")


@dataclass(frozen=True, slots=True)
class Style:
    """The levels, 0-2, of empathy and advice in one reply."""

    emotional_reaction: int
    interpretation: int
    exploration: int
    advice: int


@dataclass(frozen=True, slots=True)
class ReplyGrammar:
    """Sentence frames by part and level, steps of advice, and paraphrases of the prompts.

    Frames and steps stand in families: all wordings of one line of the file. Families are drawn alike, and so are the
    wordings of one.
    """

    frames: dict[tuple[str, int], tuple[tuple[Frame, ...], ...]]
    nothing: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]
    paraphrases: dict[tuple[str, int], tuple[str, ...]]
    introductions: tuple[str, ...]

    def reply(self, style: Style, said: Intention, rng: random.Random) -> str:
        """Return one reply in this style to a message with the intention ``said``."""
        step, following = map(rng.choice, rng.sample(self.steps, 2))
        values = {"step": step, "next": following}
        values |= {slot: yours(value) for slot in ("feeling", "topic", "need") if (value := getattr(said, slot))}
        unsaid = frozenset(values)
        sentences = []
        for part in ORDER:
            level = getattr(style, part)
            if level:
                frame = rng.choice(rng.choice(_fitting(part, level, unsaid)))
                unsaid -= frame.slots
                sentences.append(frame.fill(values))
        return " ".join(sentences) or rng.choice(self.nothing)


@cache
def _fitting(part: str, level: int, known: frozenset[str]) -> tuple[tuple[Frame, ...], ...]:
    """Return of each family the frames that say most of what is known; families without one are left out."""
    families = load_replies().frames[part, level]
    fitting = frozenset(fullest((frame for family in families for frame in family), known))
    kept = (tuple(frame for frame in family if frame in fitting) for family in families)
    return tuple(family for family in kept if family)


def yours(phrase: str) -> str:
    """Replace "my" by "your", as a reply to the user would."""
    return " ".join("your" if word == "my" else word for word in phrase.split(" "))


@cache
def load_replies() -> ReplyGrammar:
    """Return the shipped reply grammar, read once."""
    raw: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("replies.yaml").read_text(encoding="utf-8"))
    words, paraphrases = raw["words"], dict(raw["paraphrases"])

    def sentences(template: str) -> tuple[str, ...]:
        return tuple(map(capitalised, alternatives(template, words)))

    def family(template: str) -> tuple[Frame, ...]:
        return tuple(map(Frame.parse, sentences(template)))

    return ReplyGrammar(
        frames={(part, level): tuple(map(family, lines)) for part in ORDER for level, lines in raw[part].items()},
        nothing=tuple(wording for line in raw["nothing"] for wording in sentences(line)),
        steps=tuple(alternatives(line, words) for line in raw["steps"]),
        introductions=tuple(paraphrases.pop("intro")),
        paraphrases={
            (part, level): tuple(texts) for part, levels in paraphrases.items() for level, texts in levels.items()
        },
    )
