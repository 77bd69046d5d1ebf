"""Tactic stickiness: whether a reply repeats the tactics of the one before.

Supporters in long conversations vary what they do; language models repeat it (Zhan et al., "Discourse Diversity in
Multi-Turn Empathic Dialogue", arXiv 2604.11742, 2026: once a tactic was used, models use it again in the next turn
with p = .50-.56, people with .27). A tactic is anything that a reply shows or does not: EPITOME's mechanisms, or
communicated acts where a rater gives them.

A pattern that asks for the same mechanisms in every turn makes an adherent candidate sticky by design. So each figure
is accompanied by its chance level: what independent turns with the same shares would give.
"""

from dataclasses import dataclass

import numpy as np

from holdfast.simulator.measure.arrays import Floats, divide

PRESENT = 0.5  # of EPITOME's 0-2: the expected level from which a mechanism is nearer to "weak" than to "none"


@dataclass(frozen=True, slots=True)
class Stickiness:
    """Repetition of tactics from turn to turn.

    ``same_set``: episodes x turns, 1 where the reply shows exactly the tactics of the turn before, else 0; nan at turn
    1 and where either turn is missing. ``reused``: episodes x tactics, share of a tactic's uses that are followed by
    another in the next turn, nan where it was never used before another turn. ``chance``: episodes, what ``same_set``
    would be if the episode's turns stood in random order.
    """

    same_set: Floats
    reused: Floats
    chance: Floats


def present_tactics(levels: Floats, threshold: float = PRESENT) -> Floats:
    """Return 1 where ``levels`` (episodes x turns x tactics) reach ``threshold``, 0 where not, nan where missing."""
    return np.where(np.isnan(levels), np.nan, levels >= threshold)


def stickiness(tactics: Floats) -> Stickiness:
    """Measure ``tactics``: episodes x turns x tactics, 1, 0 or nan; a turn with any nan is missing. At most 52 tactics.

    The chance level of an episode with n turns is the share of equal pairs among its n (n - 1) / 2 pairs of turns.
    """
    missing = np.asarray(np.isnan(tactics).any(axis=-1))
    sets = (np.where(missing[..., None], 0.0, tactics) * 2.0 ** np.arange(tactics.shape[-1])).sum(axis=-1)
    sets = np.where(missing, np.nan, sets)
    pair_missing = missing[:, 1:] | missing[:, :-1]
    same = np.full(sets.shape, np.nan)
    same[:, 1:] = np.where(pair_missing, np.nan, sets[:, 1:] == sets[:, :-1])
    before = np.where(pair_missing[..., None], 0.0, tactics[:, :-1])
    after = np.where(pair_missing[..., None], 0.0, tactics[:, 1:])
    used, again = before.sum(axis=1), (before * after).sum(axis=1)
    return Stickiness(same, divide(again, used), np.array([_equal_pairs(row) for row in sets], dtype=np.float64))


def _equal_pairs(sets: Floats) -> float:
    counts = np.unique(sets[~np.isnan(sets)], return_counts=True)[1].astype(np.float64)
    total = float(counts.sum())
    return float((counts * (counts - 1)).sum() / (total * (total - 1))) if total > 1 else float("nan")
