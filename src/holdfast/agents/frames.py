"""Sentence templates with slots, from which the embedded grammars build messages."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """A sentence template and its slots (lower case; ``{Topic}`` is the slot topic, capitalised)."""

    text: str
    slots: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Frame:
        """Parse the slots of a template."""
        names = {name.lower() for _, name, _, _ in string.Formatter().parse(text) if name}
        return cls(text, frozenset(names))

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the sentence with its slots filled; every slot must have a value."""
        capitals = {name.capitalize(): value[:1].upper() + value[1:] for name, value in values.items()}
        return self.text.format_map({**values, **capitals})


def fullest(frames: Iterable[Frame], known: Iterable[str]) -> tuple[Frame, ...]:
    """Return the frames with most slots among those whose slots are all ``known``; empty where there are none."""
    known = frozenset(known)
    possible = [frame for frame in frames if frame.slots <= known]
    most = max((len(frame.slots) for frame in possible), default=0)
    return tuple(frame for frame in possible if len(frame.slots) == most)
