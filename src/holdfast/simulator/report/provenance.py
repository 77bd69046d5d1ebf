"""How a study was made, as rows of a table; and whether its base is the embedded microcosm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from holdfast.agents.raters.protocol import EXPRESSED
from holdfast.agents.raters.by_name import LINEAR, card_folders
from holdfast.simulator.report.values import number

MICRO = ("micro", "microcosm", "embedded")


def is_microcosm(results: Mapping[str, Any]) -> bool:
    """True where ``provenance.microcosm`` says so or, where it is silent, the base model's id begins with "micro"."""
    provenance: Mapping[str, Any] = results.get("provenance") or {}
    if "microcosm" in provenance:
        return bool(provenance["microcosm"])
    models = (provenance.get(key) for key in ("model", "base", "base_model"))
    return any(str(m).startswith(MICRO) for m in models if m is not None)


def provenance_rows(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, text) of everything known about the making, nested keys joined by " · "; without the ablation."""
    rows = [(name, results.get(key)) for name, key in _FIRST]
    rows += [(key, value) for key, value in (results.get("provenance") or {}).items() if key != "ablation"]
    return [pair for name, value in rows for pair in _flat(str(name).replace("_", " "), value)]


_FIRST = (
    ("study", "study"),
    ("seed", "seed"),
    ("holdfast version", "holdfast_version"),
    ("results schema", "schema_version"),
    ("transcripts SHA-256", "transcripts_sha256"),
)


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flat(f"{name} · {str(key).replace('_', ' ')}", inner)]
    if isinstance(value, (list, tuple)):
        plain = all(isinstance(item, (str, int, float)) for item in value)
        return [(name, ", ".join(str(item) for item in value) if plain else json.dumps(value, default=str))]
    return [(name, str(value))]


def ablation_table(results: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]] | None:
    """(columns, rows) of ``provenance.ablation``: a list of mappings, or a mapping from the recipe to one."""
    raw = (results.get("provenance") or {}).get("ablation")
    if isinstance(raw, Mapping):
        raw = [{"recipe": name, **(row if isinstance(row, Mapping) else {"value": row})} for name, row in raw.items()]
    if not isinstance(raw, (list, tuple)) or not raw or not all(isinstance(row, Mapping) for row in raw):
        return None
    columns = list(dict.fromkeys(str(key) for row in raw for key in row))
    return columns, [[row.get(column) for column in columns] for row in raw]


def rater_card(rater: Mapping[str, Any] | None) -> str | None:
    """The card (Markdown) of the rater ``{id, …}``, where it is one that holdfast ships; None of others."""
    if (rater or {}).get("id") != LINEAR:
        return None
    return (card_folders(LINEAR)[EXPRESSED.id] / "card.md").read_text(encoding="utf-8")


def timing_rows(results: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """(stage, seconds, share of the longest in per cent), stages in their order."""
    timings = [(str(k), number(v)) for k, v in (results.get("timings_s") or {}).items()]
    known = [(name, seconds) for name, seconds in timings if seconds is not None]
    longest = max((seconds for _, seconds in known), default=0.0) or 1.0
    return [(name.replace("_", " "), seconds, round(100 * seconds / longest, 1)) for name, seconds in known]
