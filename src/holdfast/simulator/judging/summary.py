"""What a judging run comes to, as JSON: counts, means, length and order controls, agreement. Undefined is null."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from holdfast.agents.raters.agreement import Floats
from holdfast.agents.raters.controls import columns, length_control, order_control, without_length, word_counts
from holdfast.agents.raters.judge.rater import Verdict
from holdfast.agents.raters.protocol import Rating, Rater
from holdfast.agents.raters.judge.outcomes import count_answers
from holdfast.agents.raters.panel import agreement, disputes
from holdfast.simulator.judging.run import RatedFiles
from holdfast.simulator.results.shapes import plain


def summarise(rated: RatedFiles, raters: dict[str, Rater], seed: int = 0) -> dict[str, Any]:
    """The whole summary. ``seed``: of the bootstrap behind the panel's intervals."""
    scale = next(iter(raters.values())).scale
    words = word_counts([one.rated for one in rated.passages])
    summary: dict[str, Any] = {
        "scale": {"id": scale.id, "low": scale.low, "high": scale.high},
        "passages": len(rated.passages),
        "conversations": len({one.conversation for one in rated.passages}),
        "skipped_lines": len(rated.skipped),
        "raters": {
            name: _of_rater(raters[name], rated.judgements[name], rated.verdicts.get(name), words) for name in raters
        },
    }
    if len(raters) > 1:
        groups = [one.conversation for one in rated.passages]
        rng = np.random.default_rng(seed)
        summary["agreement"] = [asdict(one) for one in agreement(rated.judgements, scale, rng, groups=groups)]
        summary["disputes"] = [
            {**asdict(one), "passage": _place(rated, one.passage)} for one in disputes(rated.judgements, scale)
        ]
    return dict(plain(summary))


def _of_rater(
    rater: Rater, judged: Sequence[Rating], verdicts: Sequence[Verdict] | None, words: Floats
) -> dict[str, Any]:
    scores = columns([one.values for one in judged], rater.scale.dimensions)
    found: dict[str, Any] = {
        "stamp": asdict(rater.identity),
        "missing": sum(one.missing is not None for one in judged),
        "dimensions": {name: _of_dimension(values, words, verdicts, name) for name, values in scores.items()},
    }
    if verdicts is not None:
        found["answers"] = count_answers(verdicts).as_dict()
        descriptions = [s.description for v in verdicts for s in v.samples if s.description is not None]
        found["quotes"] = {
            "given": sum(len(one.quotes) for one in descriptions),
            "invented": sum(one.invented for one in descriptions),
        }
    return found


def _of_dimension(values: Floats, words: Floats, verdicts: Sequence[Verdict] | None, name: str) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    found: dict[str, Any] = {
        "n": len(known),
        "mean": float(known.mean()) if len(known) else math.nan,
        "sd": float(known.std(ddof=1)) if len(known) > 1 else math.nan,
        "sd_without_length": _sd(without_length(values, words)),
        "length": asdict(length_control(values, words)),
    }
    if verdicts is not None:
        spreads = [verdict.spread[name] for verdict in verdicts if name in verdict.spread]
        found["mean_spread"] = float(np.mean(spreads)) if spreads else math.nan
        found["order"] = asdict(order_control(verdicts, name))
    return found


def _sd(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else math.nan


def _place(rated: RatedFiles, index: int) -> dict[str, Any]:
    one = rated.passages[index]
    return {"file": one.file, "line": one.line, "turn": one.turn}
