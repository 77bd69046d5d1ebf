"""The words that a judge is asked with, as text files, and the few functions that fill them in.

``NAME.txt`` of a scale holds one section a dimension, headed ``# dimension``, so that a judge can be asked in another
order. Every file is substituted once: what stands in a rated conversation is never taken for a placeholder.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Template

from holdfast.agents.raters.protocol import Scale
from holdfast.core.hashing import sha256

__all__ = ["digest", "fill", "read_rubric", "rubric_words", "sections"]


@cache
def read_rubric(name: str) -> str:
    """The text of ``agents/raters/rubrics/NAME.txt``, without its last newline."""
    return (files(__package__) / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


def fill(name: str, **values: str) -> str:
    """The file ``NAME.txt`` with its ``$placeholders`` replaced, in one pass."""
    return Template(read_rubric(name)).substitute(values)


@cache
def sections(scale: Scale) -> dict[str, str]:
    """What the scale's rubric says of each dimension, in the scale's order."""
    described = {}
    for part in read_rubric(scale.id).split("# ")[1:]:
        name, _, text = part.partition("\n")
        described[name.strip()] = text.strip()
    if tuple(described) != scale.dimensions:
        raise ValueError(f"the rubric {scale.id}.txt describes {tuple(described)}, the scale has {scale.dimensions}")
    return described


def rubric_words(described: Mapping[str, str], order: Sequence[str]) -> str:
    """The dimensions in words, in ``order``."""
    return "\n\n".join(f"{name}: {described[name]}" for name in order)


def digest(*names: str, own: str = "") -> str:
    """SHA-256 of the named files, and a user's ``own`` words, together: what a stamp records as the prompt's hash."""
    return sha256("\x1e".join([*(read_rubric(name) for name in names), *([own] if own else [])]))
