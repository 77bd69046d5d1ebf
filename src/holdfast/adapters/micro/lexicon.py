"""The vocabulary of the embedded world: feelings, topics and needs, many of them invented.

There are so many topics that a model which wants to name the user's topic has to copy it from the message. Some words
are held out: no training document holds them, so naming them measures copying and nothing else.
"""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

INVENTED_SHARE = 0.3  # how often a topic holds an invented name
INVENTED_FEELINGS = 0.3  # how often a feeling is an invented word: guessing among the known ones must not pay
INVENTED_OBJECTS = 0.2  # how often what a need is about is an invented word
INVENTED_HEADS = 0.35  # how many invented topics are invented in both words
PIECED_SHARE = 0.5  # how many names are pieced together from parts of real words, so that any word can be copied


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All words, read from ``lexicon.yaml``; the methods draw at random."""

    feelings: tuple[str, ...]
    modifiers: tuple[str, ...]
    heads: tuple[str, ...]
    verbs: tuple[str, ...]
    objects: tuple[str, ...]
    syllables: tuple[str, ...]
    held_out_modifiers: tuple[str, ...]
    held_out_heads: tuple[str, ...]

    def feeling(self, rng: random.Random) -> str:
        """Return an adjective for "I feel ..."."""
        return self.invented(rng).lower() if rng.random() < INVENTED_FEELINGS else rng.choice(self.feelings)

    def topic(self, rng: random.Random) -> str:
        """Return a noun phrase: "the budget report", "my Velmora contract"."""
        determiner = "the" if rng.random() < 0.6 else "my"
        modifier, head = rng.choice(self.modifiers), rng.choice(self.heads)
        if rng.random() < INVENTED_SHARE:
            head = self.invented(rng).lower() if rng.random() < INVENTED_HEADS else head
            return f"{determiner} {self.invented(rng)} {head}"
        shapes = (
            head,
            f"{modifier} {head}",
            f"{modifier} {head}",
            f"{rng.choice(self.heads)} {head}",
            f"{rng.choice(self.modifiers)} {modifier} {head}",
        )
        return f"{determiner} {rng.choice(shapes)}"

    def held_out_topic(self, rng: random.Random) -> str:
        """Return a topic made of words that no training document holds."""
        return f"the {rng.choice(self.held_out_modifiers)} {rng.choice(self.held_out_heads)}"

    def need(self, rng: random.Random) -> str:
        """Return a verb phrase: "sort the slides"."""
        verb = rng.choice(self.verbs)
        if rng.random() < INVENTED_OBJECTS:
            return f"{verb} the {self.invented(rng).lower()} {rng.choice(self.heads)}"
        return f"{verb} {rng.choice(self.objects)}"

    def invented(self, rng: random.Random) -> str:
        """Return a name made of syllables or of parts of words; half of them in lower case."""
        if rng.random() < PIECED_SHARE:
            name = "".join(self._piece(rng) for _ in range(rng.choice((2, 2, 3))))
        else:
            name = "".join(rng.choices(self.syllables, k=rng.choice((2, 2, 3))))
        return name if rng.random() < 0.5 else name.capitalize()

    def _piece(self, rng: random.Random) -> str:
        """Return one to four consecutive letters of some word."""
        word = rng.choice(rng.choice((self.heads, self.modifiers, self.feelings)))
        start = rng.randrange(len(word))
        return word[start : start + rng.randint(1, 4)]


@cache
def load_lexicon() -> Lexicon:
    """Return the shipped lexicon, read once."""
    raw: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("lexicon.yaml").read_text(encoding="utf-8"))
    held_out = raw.pop("held_out")
    words = {name: tuple(map(str, values)) for name, values in raw.items()}
    return Lexicon(**words, held_out_modifiers=tuple(held_out["modifiers"]), held_out_heads=tuple(held_out["heads"]))
