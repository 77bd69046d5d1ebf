"""Sentence templates with slots, from which the embedded grammars build messages."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_WORDING = re.compile(r"<(\w+)>")
_INNERMOST = re.compile(r"\[([^\[\]]*)\]")
_SPACE_BEFORE_MARK = re.compile(r" +(?=[,.?!])")
_SENTENCE_START = re.compile(r"(^|[.?!] )(\{?)([a-z])")


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


def alternatives(text: str, words: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return every wording that ``text`` stands for, each once: ``[so|very|] sorry`` is three.

    Brackets may stand in brackets; ``<name>`` is one of the ``|``-separated wordings that ``words`` has by that name.

    Raises:
        ValueError: A bracket without its partner, or a name that ``words`` does not have.
    """
    words = words or {}
    while match := _WORDING.search(text):
        if match[1] not in words:
            raise ValueError(f"no wording <{match[1]}> for {text!r}")
        text = f"{text[: match.start()]}[{words[match[1]]}]{text[match.end() :]}"
    wordings = [" ".join(_SPACE_BEFORE_MARK.sub("", wording).split()) for wording in _expanded(text)]
    if stray := next((wording for wording in wordings if set(wording) & set("[]")), None):
        raise ValueError(f"a bracket without its partner: {stray!r}")
    return tuple(dict.fromkeys(wordings))


def capitalised(text: str) -> str:
    """Return ``text`` with a capital at the start of each sentence; a slot there is capitalised too."""
    return _SENTENCE_START.sub(lambda match: match[1] + match[2] + match[3].upper(), text)


def _expanded(text: str) -> list[str]:
    match = _INNERMOST.search(text)
    if match is None:
        return [text]
    before, after = text[: match.start()], text[match.end() :]
    return [wording for choice in match[1].split("|") for wording in _expanded(before + choice + after)]
