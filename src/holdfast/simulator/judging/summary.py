"""What a judging run comes to, as JSON: counts, means, length and order controls, agreement. Undefined is null."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from holdfast.agents.raters.judge.counts import count_answers, samples_spread
from holdfast.agents.raters.protocol import Rater, Rating
from holdfast.simulator.judging.run import RatedFiles
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.controls import columns, length_control, order_control, without_length, word_counts
from holdfast.simulator.measure.panel import agreement, disputes
from holdfast.simulator.results.shapes import plain


def summarise(rated: RatedFiles, raters: dict[str, Rater], seed: int = 0) -> dict[str, Any]:
    """The whole summary; of its ``passages_in_files`` those were rated that ``passages`` counts.

    ``seed``: of the bootstrap behind the panel's intervals.
    """
    scale = next(iter(raters.values())).scale
    words = word_counts([passage.rated for passage in rated.passages])
    summary: dict[str, Any] = {
        "scale": {"id": scale.id, "low": scale.low, "high": scale.high},
        "passages": len(rated.passages),
        "passages_in_files": rated.in_files,
        "conversations": len({passage.conversation for passage in rated.passages}),
        "skipped_lines": len(rated.skipped),
        "raters": {name: _of_rater(rater, rated.ratings[name], words) for name, rater in raters.items()},
    }
    if len(raters) > 1:
        groups = [passage.conversation for passage in rated.passages]
        rng = np.random.default_rng(seed)
        summary["agreement"] = [asdict(each) for each in agreement(rated.ratings, scale, rng, groups=groups)]
        summary["disputes"] = [
            {**asdict(dispute), "passage": _place(rated, dispute.passage)} for dispute in disputes(rated.ratings, scale)
        ]
    return dict(plain(summary))


def _of_rater(rater: Rater, ratings: Sequence[Rating], words: Floats) -> dict[str, Any]:
    scores = columns([rating.counted for rating in ratings], rater.scale.dimensions)
    summary: dict[str, Any] = {
        "identity": asdict(rater.identity),
        "missing": sum(rating.missing is not None for rating in ratings),
        "disqualified": dict(Counter(rating.disqualified for rating in ratings if rating.disqualified is not None)),
        "dimensions": {name: _of_dimension(values, words, ratings, name) for name, values in scores.items()},
    }
    samples = [sample for rating in ratings for sample in rating.samples]
    if samples:
        summary["answers"] = count_answers(ratings).as_dict()
        descriptions = [sample.description for sample in samples if sample.description is not None]
        summary["quotes"] = {
            "given": sum(len(description.quotes) for description in descriptions),
            "invented": sum(description.invented for description in descriptions),
        }
    return summary


def _of_dimension(values: Floats, words: Floats, ratings: Sequence[Rating], name: str) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    summary: dict[str, Any] = {
        "n": len(known),
        "mean": float(known.mean()) if len(known) else math.nan,
        "sd": _sd(values),
        "sd_without_length": _sd(without_length(values, words)),
        "length": asdict(length_control(values, words)),
    }
    if any(rating.samples for rating in ratings):
        spreads = [spreads[name] for rating in ratings if name in (spreads := samples_spread(rating.samples))]
        summary["mean_spread"] = float(np.mean(spreads)) if spreads else math.nan
        summary["order"] = asdict(order_control(ratings, name))
    return summary


def _sd(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else math.nan


def _place(rated: RatedFiles, index: int) -> dict[str, Any]:
    passage = rated.passages[index]
    place = {"file": passage.file, "line": passage.line, "conversation": passage.conversation}
    return {**place, "turn": passage.turn}
