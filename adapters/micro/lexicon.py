"""The words of the embedded world: feelings, topics and needs, many of them invented.

Topics are so many that a model which wants to name the user's topic has to copy it from the message. A part of the
words is held out: no training document holds them, so naming them measures copying and nothing else.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

INVENTED_SHARE = 0.45  # how often a topic holds an invented name
SPELT_SHARE = 0.3  # how many of those are spelt from single letters, so that any word can be copied piece by piece
LETTERS = "aaabcdeeeefghiiijklmnnoooprrssttuuvwyz"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All words, read from ``lexicon.yaml``."""

    feelings: tuple[str, ...]
    modifiers: tuple[str, ...]
    heads: tuple[str, ...]
    verbs: tuple[str, ...]
    objects: tuple[str, ...]
    syllables: tuple[str, ...]
    held_out_modifiers: tuple[str, ...]
    held_out_heads: tuple[str, ...]

    def feeling(self, rng: random.Random) -> str:
        """An adjective for "I feel ..."."""
        return rng.choice(self.feelings)

    def topic(self, rng: random.Random) -> str:
        """A noun phrase: "the budget report", "my Velmora contract"."""
        determiner = "the" if rng.random() < 0.6 else "my"
        head = rng.choice(self.heads)
        draw = rng.random()
        if draw < INVENTED_SHARE:
            return f"{determiner} {self.invented(rng)} {head}"
        if draw < INVENTED_SHARE + 0.1:
            return f"{determiner} {head}"
        if draw < INVENTED_SHARE + 0.2:
            return f"{determiner} {rng.choice(self.modifiers)} {rng.choice(self.modifiers)} {head}"
        return f"{determiner} {rng.choice(self.modifiers)} {head}"

    def held_out_topic(self, rng: random.Random) -> str:
        """A topic made of words that no training document holds."""
        return f"the {rng.choice(self.held_out_modifiers)} {rng.choice(self.held_out_heads)}"

    def need(self, rng: random.Random) -> str:
        """A verb phrase: "sort the slides"."""
        return f"{rng.choice(self.verbs)} {rng.choice(self.objects)}"

    def invented(self, rng: random.Random) -> str:
        """A name of two or three syllables, or of letters in any order; half of them in lower case."""
        if rng.random() < SPELT_SHARE:
            name = "".join(rng.choices(LETTERS, k=rng.randint(4, 7)))
        else:
            name = "".join(rng.choices(self.syllables, k=rng.choice((2, 2, 3))))
        return name if rng.random() < 0.5 else name.capitalize()


@cache
def load_lexicon() -> Lexicon:
    """The shipped lexicon, read once."""
    raw: dict[str, Any] = yaml.safe_load(files("adapters.micro").joinpath("lexicon.yaml").read_text(encoding="utf-8"))
    held_out = raw.pop("held_out")
    words = {name: tuple(map(str, values)) for name, values in raw.items()}
    return Lexicon(**words, held_out_modifiers=tuple(held_out["modifiers"]), held_out_heads=tuple(held_out["heads"]))
