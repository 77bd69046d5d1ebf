"""Parse untrusted values of a log into roles, texts, ids, numbers and labels."""

import math
from collections.abc import Mapping
from typing import Any

from holdfast.agents.protocols import Role
from holdfast.simulator.logs.records import SCALES

LONGEST_WORD = 200  # characters of an id or of a column's value
MOST_COLUMNS = 40
ANY = (-1e9, 1e9)

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("user", "human", "usr", "seeker", "client", "customer", "patient", "participant"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot", "ai", "model", "chatbot", "chatgpt", "sys", "supporter"), "assistant"),
    **dict.fromkeys(("agent", "listener", "therapist", "counselor", "counsellor", "doctor"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}


def role_of(value: object) -> Role | None:
    """Return the role that a word names, in any case; None for other words."""
    return _ROLES.get(value.strip().lower()) if isinstance(value, str) else None


def clean(text: str) -> str:
    """Return the text with what UTF-8 cannot encode (lone surrogates) as question marks."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def text_of(value: object) -> str:
    """Return a message's text: a string, or a list of parts as in OpenAI's format; "" for anything else."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, Mapping)]
        return clean("\n".join(part for part in parts if isinstance(part, str)))
    return ""


def word_of(value: object) -> str:
    """Return an id or a column's value: a short text or a number; "" for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else ""
    return clean(value).strip()[:LONGEST_WORD] if isinstance(value, str) else ""


def columns_of(raw: Mapping[Any, Any], without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the short scalars of a mapping, by name."""
    columns: dict[str, str] = {}
    for key, value in raw.items():
        if isinstance(key, str) and key not in without and len(columns) < MOST_COLUMNS:
            word = word_of(value)
            if word and not (isinstance(value, str) and len(value) > LONGEST_WORD):
                columns[clean(key)[:LONGEST_WORD]] = word
    return columns


def number_of(value: object) -> float | None:
    """Return a finite number, also from text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and len(value) > 40:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def label_of(name: str, value: object, faults: list[tuple[str, str]]) -> float | None:
    """Return a label on its scale (see ``SCALES``); None, with a fault (reason, name), where it is invalid."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = number_of(value)
    if number is None:
        faults.append(("label is not a number", name))
        return None
    low, high = SCALES.get(name, ANY)
    if not low <= number <= high:
        faults.append((f"label is outside {low:g} to {high:g}", name))
        return None
    return number


def labels_of(raw: object, faults: list[tuple[str, str]]) -> dict[str, float]:
    """Return all labels of a mapping name -> number."""
    if not isinstance(raw, Mapping):
        return {}
    labels = ((word_of(name), label_of(word_of(name), value, faults)) for name, value in raw.items())
    return {name: value for name, value in list(labels)[:MOST_COLUMNS] if name and value is not None}


def planned_of(value: object) -> int | None:
    """Return the planned number of turns, 1 to a million; None for anything else."""
    number = number_of(value)
    return int(number) if number is not None and 1 <= number <= 1_000_000 else None
