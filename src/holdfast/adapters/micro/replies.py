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

from holdfast.agents.frames import Frame, fullest
from holdfast.agents.protocols import Intention

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
    """Sentence templates by part and level, and paraphrases of the prompts."""

    frames: dict[tuple[str, int], tuple[Frame, ...]]
    nothing: tuple[Frame, ...]
    steps: tuple[str, ...]
    paraphrases: dict[tuple[str, int], tuple[str, ...]]
    introductions: tuple[str, ...]

    def reply(self, style: Style, said: Intention, rng: random.Random) -> str:
        """Return one reply in this style to a message with the intention ``said``."""
        step, following = rng.sample(self.steps, 2)
        values = {"step": step, "next": following}
        values |= {slot: yours(value) for slot in ("feeling", "topic", "need") if (value := getattr(said, slot))}
        unsaid = set(values)
        sentences = []
        for part in ORDER:
            level = getattr(style, part)
            if level:
                frame = rng.choice(fullest(self.frames[part, level], unsaid))
                unsaid -= frame.slots
                sentences.append(frame.fill(values))
        if not sentences:
            sentences.append(rng.choice(fullest(self.nothing, ())).fill(values))
        return " ".join(sentences)


def yours(phrase: str) -> str:
    """Replace "my" by "your", as a reply to the user would."""
    return " ".join("your" if word == "my" else word for word in phrase.split(" "))


@cache
def load_replies() -> ReplyGrammar:
    """Return the shipped reply grammar, read once."""
    raw: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("replies.yaml").read_text(encoding="utf-8"))
    paraphrases = dict(raw["paraphrases"])
    return ReplyGrammar(
        frames={(part, level): tuple(map(Frame.parse, texts)) for part in ORDER for level, texts in raw[part].items()},
        nothing=tuple(map(Frame.parse, raw["nothing"])),
        steps=tuple(raw["steps"]),
        introductions=tuple(paraphrases.pop("intro")),
        paraphrases={
            (part, level): tuple(texts) for part, levels in paraphrases.items() for level, texts in levels.items()
        },
    )
