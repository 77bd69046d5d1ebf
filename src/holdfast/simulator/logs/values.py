"""Parse untrusted values of a log into roles, ids, numbers and labels."""

import math
from collections.abc import Mapping
from typing import Any

from holdfast.agents.protocols import Role
from holdfast.core.hashing import sha256
from holdfast.simulator.logs.records import SCALES

LONGEST_WORD = 200  # characters of a column's value
LONGEST_ID = 1000  # characters of an id; a longer one is cut, and told apart by its hash
MOST_COLUMNS = 40
ANY = (-1e9, 1e9)

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("user", "human", "usr", "seeker", "client", "customer", "patient", "participant"), "user"),
    **dict.fromkeys(("prompter", "humanmessage", "humanmessagechunk", "end_user", "enduser"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot", "ai", "model", "chatbot", "chatgpt", "sys", "supporter"), "assistant"),
    **dict.fromkeys(("agent", "listener", "therapist", "counselor", "counsellor", "doctor"), "assistant"),
    **dict.fromkeys(("aimessage", "aimessagechunk", "claude", "bard", "gemini"), "assistant"),
    **dict.fromkeys(("system", "developer", "systemmessage"), "system"),
}
#: Roles of what nobody says: outputs of tools, and calls of them.
_SILENT = frozenset(
    ("tool", "function", "ipython", "environment", "observation", "function_call", "tool_call", "tool_result")
) | frozenset(("tool_response", "function_response", "toolmessage", "functionmessage", "removemessage", "tool_use"))


def role_of(value: object) -> Role | None:
    """Return the role that a word names, in any case; None for other words."""
    return _ROLES.get(value.strip().lower()) if isinstance(value, str) else None


def clean(text: str) -> str:
    """Return the text with what UTF-8 cannot encode (lone surrogates) as question marks."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def is_silent(value: object) -> bool:
    """Whether a role is that of a tool: its messages are not said by anybody."""
    return isinstance(value, str) and value.strip().lower() in _SILENT


def id_of(value: object) -> str:
    """Return an id exactly as the log has it, 1 as "1" and 1.0 as "1.0"; "" where there is none.

    White space alone, nan, and values that are no ids (a list) are none. Of a mapping its ``$oid``, ``id`` or ``name``
    is taken.
    """
    if isinstance(value, dict):
        inner = next((value[key] for key in ("$oid", "$uuid", "$numberLong", "id", "name") if key in value), None)
        return "" if isinstance(inner, dict) else id_of(inner)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    text = str(value) if isinstance(value, int) else clean(value) if isinstance(value, str) else ""
    if not text.strip():
        return ""
    return text if len(text) <= LONGEST_ID else f"{text[:LONGEST_WORD]}…{sha256(text)[:16]}"


def word_of(value: object) -> str:
    """Return a column's value, at most :data:`LONGEST_WORD` characters; "" for what is no text or number."""
    return "" if isinstance(value, dict) else id_of(value).strip()[:LONGEST_WORD]


def columns_of(raw: Mapping[Any, Any], without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the short scalars of a mapping, by name."""
    columns: dict[str, str] = {}
    for key, value in raw.items():
        if isinstance(key, str) and key not in without and len(columns) < MOST_COLUMNS:
            word = "" if isinstance(value, dict) else id_of(value).strip()
            if word and len(word) <= LONGEST_WORD and len(key) <= LONGEST_WORD:
                columns[clean(key)] = word
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
    if not isinstance(raw, dict):
        return {}
    labels = ((word_of(name), label_of(word_of(name), value, faults)) for name, value in raw.items())
    return {name: value for name, value in list(labels)[:MOST_COLUMNS] if name and value is not None}


def planned_of(value: object) -> int | None:
    """Return the planned number of turns, 1 to a million; None for anything else."""
    number = number_of(value)
    return int(number) if number is not None and 1 <= number <= 1_000_000 else None
