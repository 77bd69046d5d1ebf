"""Sentences with slots: how the embedded grammars put an intention into words."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """A sentence, and the slots that it speaks of (in lower case: ``{Topic}`` is the slot topic with a capital)."""

    text: str
    slots: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Frame:
        """Read the slots off the text."""
        names = {name.lower() for _, name, _, _ in string.Formatter().parse(text) if name}
        return cls(text, frozenset(names))

    def fill(self, values: Mapping[str, str]) -> str:
        """The sentence with its slots filled; every slot must have a value."""
        capitals = {name.capitalize(): value[:1].upper() + value[1:] for name, value in values.items()}
        return self.text.format_map({**values, **capitals})


def fullest(frames: Iterable[Frame], known: Iterable[str]) -> tuple[Frame, ...]:
    """Of the frames that need nothing unknown, those that say most; empty if every frame needs something unknown."""
    known = frozenset(known)
    possible = [frame for frame in frames if frame.slots <= known]
    most = max((len(frame.slots) for frame in possible), default=0)
    return tuple(frame for frame in possible if len(frame.slots) == most)
