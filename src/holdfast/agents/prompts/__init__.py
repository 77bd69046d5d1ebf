"""Prompt files, functions that read and hash them, and an empathy pattern as a system prompt.

``emotional_reaction.txt``, ``interpretation.txt``, ``exploration.txt`` and ``advice.txt`` hold three lines each; line
*n* (from 0) is level *n*. The prompt states the target outright, as an expert who knows the task context would write
it, so that an adapter's gain over it is not owed to a vague prompt.
"""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from holdfast.agents.protocols import Message
from holdfast.core.hashing import sha256
from holdfast.personas.schema import MECHANISMS, EmpathyPattern, Exchange, MechanismLevels

_HERE = Path(__file__).parent


@cache
def read_prompt(name: str) -> str:
    """Return the text of ``agents/prompts/NAME.txt`` without its last newline, such as NAME "users/speak"."""
    return (_HERE / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


def prompt_hashes() -> dict[str, str]:
    """Return the hash of every prompt file by its name ("intro.txt", "users/speak.txt")."""
    names = sorted(path.relative_to(_HERE).as_posix() for path in _HERE.rglob("*.txt"))
    return {name: sha256(read_prompt(name.removesuffix(".txt"))) for name in names}


def nearest_level(level: float) -> int:
    """Return the whole level, 0-2, nearest to ``level``; halves go up (0.5 -> 1)."""
    return min(2, max(0, math.floor(level + 0.5)))


def level_sentence(name: str, level: float) -> str:
    """Return the sentence that asks for ``level`` of a mechanism or of ``"advice"``."""
    return read_prompt(name).splitlines()[nearest_level(level)]


def pattern_prompt(pattern: EmpathyPattern) -> str:
    """Return the system prompt for ``pattern``: the introduction, a sentence per dimension, a sentence on advice.

    A mechanism's sentence is that of its level; a dimension of another scale has the pattern's own words.
    """
    if isinstance(pattern.target, MechanismLevels):
        levels = zip(MECHANISMS, pattern.target.as_array(), strict=True)
        asked = [level_sentence(name, level) for name, level in levels]
    else:
        asked = [pattern.words[name] for name in pattern.target.root]
    return " ".join([read_prompt("intro"), *asked, level_sentence("advice", pattern.advice)])


def example_turns(exchanges: Iterable[Exchange]) -> tuple[Message, ...]:
    """Return exchanges as turns of a conversation: what was said, and the reply to it."""
    pairs = ((Message("user", each.user), Message("assistant", each.reply)) for each in exchanges)
    return tuple(message for pair in pairs for message in pair)


def with_examples(words: str, examples: Sequence[Exchange]) -> str:
    """Return a prompt followed by exchanges, for models whose chat template bears no turns before the conversation."""
    shown = [f"User: {exchange.user}\nAssistant: {exchange.reply}" for exchange in examples]
    return "\n\n".join([words, read_prompt("examples"), *shown]) if shown else words
