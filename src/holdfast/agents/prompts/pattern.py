"""An empathy pattern as a system prompt: one short sentence per level.

``emotional_reaction.txt``, ``interpretation.txt``, ``exploration.txt`` and ``advice.txt`` hold three lines each; line
*n* (from 0) is level *n*. The prompt states the target outright, as an expert who knows the task context would write
it, so that an adapter's gain over it is not owed to a vague prompt.
"""

import math

from holdfast.agents.prompts import read_prompt
from holdfast.personas.schema import MECHANISMS, EmpathyPattern


def nearest_level(level: float) -> int:
    """Return the whole level, 0-2, nearest to ``level``; halves go up (0.5 -> 1)."""
    return min(2, max(0, math.floor(level + 0.5)))


def level_sentence(name: str, level: float) -> str:
    """Return the sentence that asks for ``level`` of a mechanism or of ``"advice"``."""
    return read_prompt(name).splitlines()[nearest_level(level)]


def pattern_prompt(pattern: EmpathyPattern) -> str:
    """Return the system prompt for ``pattern``: the introduction, a sentence per mechanism, a sentence on advice."""
    levels = zip(MECHANISMS, pattern.target.as_array(), strict=True)
    sentences = [read_prompt("intro"), *(level_sentence(name, level) for name, level in levels)]
    return " ".join([*sentences, level_sentence("advice", pattern.advice)])
