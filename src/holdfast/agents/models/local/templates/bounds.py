"""How much work one rendering of a chat template may do, counted in steps and characters.

Counting is deterministic: the same template is refused at the same place on every machine.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2.exceptions import TemplateError

STEPS, STEPS_A_PAIR = 200_000, 50  # of one rendering: whatever is sent, and for each pair of its messages
CHARACTERS, TIMES = 1_000_000, 50  # of one rendering's texts: whatever is sent, and for each of its characters
TIMES_A_MESSAGE = 4  # as above, for each message: some templates add every message to a growing text
A_STEP = 64  # characters or items that one step may move
LARGEST = 100_000  # number that a method or filter may be given, such as a width
BITS = 4096  # of a whole number
_LONG_NUMBER = re.compile(r"\d{6}")  # in a format: a width


class TemplateBoundsError(TemplateError):
    """A template does more than any conversation needs."""


class WorkCounter:
    """What is left of one rendering's work. Every method refuses by a :class:`TemplateBoundsError`."""

    def __init__(self) -> None:
        self.allow(())

    def allow(self, messages: Sequence[Mapping[str, str]]) -> None:
        """Set what rendering ``messages`` may take."""
        sent = sum(len(text) for message in messages for text in message.values())
        self.steps = STEPS + STEPS_A_PAIR * len(messages) ** 2 + sent
        self.characters = CHARACTERS + (TIMES + TIMES_A_MESSAGE * len(messages)) * sent

    def count(self, steps: int) -> None:
        """Take off ``steps``."""
        self.steps -= steps
        if self.steps < 0:
            raise TemplateBoundsError("it goes on and on")

    def grow(self, size: int) -> None:
        """Take off ``size`` characters or items that were made."""
        self.steps -= 1 + size // A_STEP
        self.characters -= size
        if self.steps < 0 or self.characters < 0:
            self.count(0)
            self.require_characters(0)

    def weight(self, value: Any) -> int:
        """Return how many characters and items there are in ``value``, however often a part occurs in it."""
        if isinstance(value, str):
            return len(value)
        weight, left = 0, [value]
        while left:
            value = left.pop()
            if isinstance(value, str | bytes | range):
                weight += len(value)
            elif isinstance(value, list | tuple | dict):
                weight += len(value)
                left += [*value, *value.values()] if isinstance(value, dict) else value
            self.require_characters(weight)
            self.count(1 if left else 0)
        return weight

    def require_room(self, name: str, subject: Any, args: Sequence[Any]) -> None:
        """Refuse a method or filter whose result would be too long."""
        if not args:
            return
        if name == "replace" and len(args) > 1 and isinstance(subject, str):
            self.require_characters((len(subject) + 1) * len(str(args[1])))
        elif name == "join":  # as a method of the separator, or as a filter of the list
            items, separator = (args[0], subject) if isinstance(subject, str) else (subject, args[0])
            if isinstance(items, str | list | tuple):
                self.require_characters(len(str(separator)) * len(items) + self.weight(items))
        elif name == "format" and isinstance(subject, str):
            self.require_format(subject, args)

    def require_product(self, left: Any, right: Any) -> None:
        """Refuse ``left * right`` where it would be too long or too large."""
        for times, sequence in ((left, right), (right, left)):
            if not isinstance(times, int):
                continue
            if isinstance(sequence, str | bytes | list | tuple):
                self.require_characters(len(sequence) * max(0, times))
            elif isinstance(sequence, int):
                self.require_bits(times.bit_length() + sequence.bit_length())

    def require_format(self, format: str, values: Any) -> None:
        """Refuse a format that pads without bounds."""
        self.require_small(*(values if isinstance(values, list | tuple) else [values]))
        if _LONG_NUMBER.search(format):
            raise TemplateBoundsError(f"it formats with a width above {LARGEST:,}")

    def require_small(self, *values: Any) -> None:
        """Refuse numbers that say how much is made."""
        if any(isinstance(value, int) and abs(value) > LARGEST for value in values):
            raise TemplateBoundsError(f"it gives a number above {LARGEST:,} to a method or filter")

    def require_bits(self, bits: int) -> None:
        """Refuse whole numbers that grow without bounds."""
        if bits > BITS:
            raise TemplateBoundsError(f"it computes a number of more than {BITS:,} bits")

    def require_characters(self, size: int) -> None:
        """Refuse what would be longer than all that is left."""
        if size > self.characters:
            raise TemplateBoundsError("it writes more and more")
