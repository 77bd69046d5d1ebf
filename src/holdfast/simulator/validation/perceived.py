"""A rater of perceived empathy on chats that the people who chatted labelled: rank agreement, and what length explains.

A chatbot that everybody likes better makes any rater that recognises the chatbot look good, so agreement is also told
*within* chatbots: after each chatbot's mean is taken from scores and labels alike.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from holdfast.agents.raters.agreement import mid_ranks, pairs, quadratic_weighted_kappa, spearman
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import Passage
from holdfast.simulator.measure.agreement import Statistic, mean_absolute_difference, row_intervals, with_interval
from holdfast.simulator.measure.arrays import Floats, Ints, present_mean
from holdfast.simulator.measure.bootstrap import NOT_BOUNDED, Interval
from holdfast.simulator.measure.calibration import calibration
from holdfast.simulator.validation.chats import LabelledChats

NOTES = {
    "truth": "by the person who chatted: (EU + ER) / 2 in iEval, the seeker's empathy rating in ESConv",
    "score": "mean of affective understanding and response appropriateness, as far as the rater gives them",
    "ESConv": "people, not chatbots, and only dialogues that went badly; no rater is fitted on them",
    "within_bot": "after each chatbot's mean is taken from scores and labels",
    "length_only": "characters of the chatbot's replies together, ranked",
    "beyond_length": "rank agreement once the ranks of length are taken out of both (partial Spearman)",
    "beyond_expressed": "once the ranks of length and of the three levels of expressed empathy (shipped linear rater, "
    "mean over the replies) are taken out of both",
    "interval": f"95 %, percentile bootstrap over people; {NOT_BOUNDED}",
}


def chats_table(chats: LabelledChats, scores: Floats, *, draws: int = 1000, seed: int = 0) -> dict[str, Any]:
    """``spearman``, ``length_only``, and where chatbots are known ``within_bot``, ``length_within_bot``: each
    ``{mean, lo, hi, reason}``, as ``pearson`` and ``beyond_expressed``; beside them ``beyond_length``, ``mae``,
    ``qwk``, ``calibration``, ``n``, ``missing``.

    ``scores``: (n, K) of the dimensions that the rater gives, 1-5, nan where missing. The length columns use the same
    chats as the rater's.
    """
    labels = chats.labelled.labels
    truth, score = labels.mean(axis=1), present_mean(scores, axis=1)
    length = np.where(np.isnan(score), np.nan, np.asarray(chats.lengths, dtype=np.float64))
    people = chats.labelled.people

    def bounded(statistic: Statistic, a: Floats, b: Floats) -> dict[str, Any]:
        return _figure(with_interval(statistic, a, b, people, np.random.default_rng(seed), draws=draws))

    def beyond(given: Floats) -> dict[str, Any]:
        def left(rows: Ints) -> list[float]:
            return [partial_spearman(score[rows], truth[rows], given[rows])]

        known = ~(np.isnan(score) | np.isnan(truth) | np.isnan(given).any(axis=1))
        return _figure(*row_intervals(left, known, people, np.random.default_rng(seed), draws=draws))

    rank = partial(bounded, spearman)
    expressed = np.column_stack([length, expressed_levels(chats.labelled.passages)])
    table: dict[str, Any] = {"spearman": rank(score, truth), "length_only": rank(length, truth)}
    if chats.bots:
        inside, truth_inside, length_inside = (without_group_means(each, chats.bots) for each in (score, truth, length))
        table["within_bot"] = rank(inside, truth_inside)
        table["length_within_bot"] = rank(length_inside, truth_inside)
    return table | {
        "pearson": bounded(pearson, score, truth),
        "beyond_length": partial_spearman(score, truth, length),
        "beyond_expressed": beyond(expressed),
        "mae": mean_absolute_difference(score, truth),
        "qwk": quadratic_weighted_kappa(np.floor(2 * score + 0.5) / 2, truth),
        "calibration": asdict(calibration(score, truth)),
        "n": int((~np.isnan(score)).sum()),
        "missing": int(np.isnan(score).sum()),
    }


def _figure(interval: Interval) -> dict[str, Any]:
    return {"mean": interval.mean, "lo": interval.lo, "hi": interval.hi, "reason": interval.reason}


def pearson(a: Floats, b: Floats) -> float:
    """Product-moment correlation of the items that have both; nan where one is constant."""
    first, second = pairs(a, b)
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def without_group_means(values: Floats, groups: Sequence[str]) -> Floats:
    """(n,) values less the mean of their group; nan stays nan and counts in no mean."""
    centred, names = np.array(values, dtype=np.float64), np.asarray(groups)
    for name in np.unique(names):
        centred[names == name] -= present_mean(centred[names == name])
    return centred


def partial_spearman(a: Floats, b: Floats, given: Floats) -> float:
    """Rank correlation of a and b with ``given`` held constant: Pearson's r of what a linear fit on the ranks of
    ``given`` leaves of the ranks of either; with one of them (r_ab - r_ag r_bg) / sqrt((1 - r_ag^2)(1 - r_bg^2)).

    a, b: (n,); ``given``: (n,), or (n, G) for several; only items that have all of them count. nan where a or b is
    constant, or follows from ``given`` altogether.
    """
    columns = given[:, None] if given.ndim == 1 else given
    there = ~(np.isnan(a) | np.isnan(b) | np.isnan(columns).any(axis=1))
    if there.sum() <= columns.shape[1] + 1:
        return float("nan")
    ranks = [mid_ranks(column[there]) for column in (a, b, *columns.T)]
    first, second, *held_constant = (each - each.mean() for each in ranks)
    basis = np.stack(held_constant, axis=1)
    rest = [each - basis @ np.linalg.lstsq(basis, each, rcond=None)[0] for each in (first, second)]
    left = [float(each @ each) for each in rest]
    if any(part <= 1e-9 * max(float(whole @ whole), 1.0) for part, whole in zip(left, (first, second), strict=True)):
        return float("nan")
    return float(rest[0] @ rest[1] / np.sqrt(left[0] * left[1]))


def expressed_levels(passages: Sequence[Passage]) -> Floats:
    """(n, 3) mean expressed level of each chat's replies, 0-2, by the shipped rater; nan without a reply."""
    replies = [[m.content for m in passage.messages if m.role == "assistant"] for passage in passages]
    levels = LinearRater().model.levels([text for texts in replies for text in texts])
    ends = np.cumsum([len(texts) for texts in replies])
    parts = [levels[end - len(texts) : end] for texts, end in zip(replies, ends, strict=True)]
    return np.array([part.mean(axis=0) if len(part) else np.full(3, np.nan) for part in parts])


def ceiling(labels: Floats) -> dict[str, float]:
    """How far any rater can get. ``labels``: (n, 2), two questions about one thing.

    ``eu_er``: their rank correlation r; ``reliability`` of their mean 2 r / (1 + r) (Spearman 1910, Brown 1910); a
    perfect rater of what they have in common would correlate with that mean at its square root, ``most``. This counts
    what one person answers differently to two questions, not what two people would answer to one chat: the true
    ceiling is lower, and these data, with one person per chat, cannot tell how much.
    """
    r = spearman(labels[:, 0], labels[:, 1])
    reliability = 2 * r / (1 + r)
    return {"eu_er": r, "reliability": reliability, "most": float(np.sqrt(reliability)) if r > 0 else float("nan")}
