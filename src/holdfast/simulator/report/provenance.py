"""How a study was made, as rows of a table; and whether its base is the embedded microcosm."""

import json
from collections.abc import Mapping
from typing import Any

from holdfast.agents.raters.fitted import card_folders
from holdfast.agents.raters.protocol import EXPRESSED
from holdfast.agents.raters.specs import FittedSpec
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.results.model import RaterInfo, Results

_REPRODUCIBLE = {True: "yes", False: "no", None: "not recorded"}
_ELSEWHERE = ("ablation", "raters", "not_reproducible", "remark")  # shown by themselves


def provenance_rows(results: Results) -> list[tuple[str, str]]:
    """(name, text) of everything known about the making, nested keys joined by " · "; without the ablation."""
    rows: list[tuple[str, Any]] = [
        ("study", results.study),
        ("seed", results.seed),
        ("holdfast version", results.holdfast_version),
        ("results schema", results.schema_version),
        ("transcripts SHA-256", results.transcripts_sha256),
        ("byte-reproducible", _REPRODUCIBLE[results.byte_reproducible]),
    ]
    rows += [("rater" if n == 0 else "witness", _rater(rater)) for n, rater in enumerate(results.raters)]
    rows += [(key, value) for key, value in results.provenance.items() if key not in _ELSEWHERE]
    return [pair for name, value in rows for pair in _flat(str(name).replace("_", " "), value)]


def _rater(rater: RaterInfo) -> str:
    known_as = f"{rater.name}: " if rater.name != rater.id else ""
    return f"{known_as}{rater.id} {rater.version}"


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flat(f"{name} · {str(key).replace('_', ' ')}", inner)]
    if isinstance(value, (list, tuple)):
        plain = all(isinstance(item, (str, int, float)) for item in value)
        return [(name, ", ".join(str(item) for item in value) if plain else json.dumps(value, default=str))]
    return [(name, str(value))]


def ablation_table(results: Results) -> tuple[list[str], list[list[Any]]] | None:
    """(columns, rows) of ``provenance.ablation``: a list of mappings, or a mapping from the recipe to one."""
    raw = results.provenance.get("ablation")
    if isinstance(raw, Mapping):
        raw = [{"recipe": name, **(row if isinstance(row, Mapping) else {"value": row})} for name, row in raw.items()]
    if not isinstance(raw, (list, tuple)) or not raw or not all(isinstance(row, Mapping) for row in raw):
        return None
    columns = list(dict.fromkeys(str(key) for row in raw for key in row))
    return columns, [[_cell(row.get(column)) for column in columns] for row in raw]


def _cell(value: Any) -> Any:
    return Estimate.model_validate(value) if isinstance(value, Mapping) else value


def rater_card(rater: str) -> str | None:
    """The card (Markdown) of the rater of this id, where it is one that holdfast ships; None of others."""
    if rater != "linear":
        return None
    return (card_folders(FittedSpec())[EXPRESSED.id] / "card.md").read_text(encoding="utf-8")


def timing_rows(results: Results) -> list[tuple[str, float, float]]:
    """(stage, seconds, share of the longest in per cent), stages in their order."""
    longest = max(results.timings_s.values(), default=0.0) or 1.0
    return [
        (k.replace("_", " "), seconds, round(100 * seconds / longest, 1)) for k, seconds in results.timings_s.items()
    ]
