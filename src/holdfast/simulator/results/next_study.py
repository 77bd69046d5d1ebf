"""From the results of one study to the size of the next."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.core.errors import InputError
from holdfast.simulator.measure.power import Variance, detectable, personas_needed, power
from holdfast.simulator.results.shapes import plain

EACH = (1, 2, 4, 8)  # conversations per persona that are planned for
ONE_EACH = (
    "Each persona met each candidate once, so variance within and between personas cannot be told apart: only plans "
    "with as many conversations per persona as measured are given. Run with 'replicates: 2' or more for the others."
)


def read_results(folder: Path) -> Mapping[str, Any]:
    """``results.json`` of a run folder.

    Raises:
        InputError: it is absent, no JSON object, or of a version that kept no variances.
    """
    path = folder / "results.json"
    if not folder.is_dir():
        raise InputError(f"{folder}: no such run folder")
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is absent; make it with 'holdfast report {folder}'") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); make it anew: holdfast report {folder}") from error
    pairs = results.get("pairwise") if isinstance(results, dict) else None
    if not isinstance(pairs, list) or any(not isinstance(_variance(row), Mapping) for row in pairs):
        raise InputError(f"{path} holds no variances to plan with; make it anew: holdfast report {folder}")
    return dict(results)


def plan_pairs(
    results: Mapping[str, Any], metric: str, difference: float | None = None, target: float = 0.8
) -> list[dict[str, Any]]:
    """Per pair of candidates: power at the study's own size, and personas needed for ``EACH`` conversations.

    JSON-safe; None where it cannot be told, with ``note`` saying why. ``difference``: to find instead of the measured.
    """
    return [_pair(row, difference, target) for row in results["pairwise"] if row["metric"] == metric]


def _variance(row: Any) -> Any:
    return row.get("variance") if isinstance(row, Mapping) else None


def _pair(row: Mapping[str, Any], difference: float | None, target: float) -> dict[str, Any]:
    spread = _spread(row["variance"])
    wanted = difference if difference is not None else math.nan if row["mean"] is None else float(row["mean"])
    split_known = not math.isnan(spread.within)
    needed = [{"per_persona": each, "personas": _whole(wanted, spread.at(each), target)} for each in EACH]
    found: dict[str, Any] = plain(
        {
            "a": row["a"],
            "b": row["b"],
            "difference": wanted,
            "personas": spread.personas,
            "per_persona": spread.per_persona,
            "between": spread.between,
            "within": spread.within,
            "of_means": spread.of_means,
            "power": power(wanted, spread.of_means, spread.personas),
            "detectable": detectable(spread.of_means, spread.personas, target),
            "needed": needed,
            "note": _note(wanted, spread, split_known),
        }
    )
    return found


def _spread(raw: Mapping[str, Any]) -> Variance:
    def known(name: str) -> float:
        return math.nan if raw[name] is None else float(raw[name])

    return Variance(
        mean=known("mean"),
        between=known("between"),
        within=known("within"),
        of_means=known("of_means"),
        personas=int(raw["personas"]),
        per_persona=known("per_persona"),
        truncated=bool(raw["truncated"]),
    )


def _whole(difference: float, of_means: float, target: float) -> int | None:
    found = personas_needed(difference, of_means, target)
    return int(found) if math.isfinite(found) else None


def _note(difference: float, spread: Variance, split_known: bool) -> str:
    if spread.personas < 2:
        return f"{spread.personas} persona met both candidates; at least 2 are needed to know how personas differ."
    if math.isnan(difference) or difference == 0:
        return "No difference was measured, and none is given: name one with --difference."
    if not split_known:
        return ONE_EACH
    return "Personas seem not to differ (their variance came out below 0 and counts as 0)." if spread.truncated else ""
