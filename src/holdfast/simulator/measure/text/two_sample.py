"""Can two bodies of text be told apart? A classifier two-sample test: area under the ROC curve, by person.

A classifier learns on some people to tell whose texts are whose, and is asked about people that it has not seen
(Lopez-Paz & Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017). AUC .5: it cannot; 1: always. Only texts of
one fold are compared with each other, since classifiers of two folds have scales of their own.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from holdfast.simulator.measure.arrays import Floats, Ints, divide
from holdfast.simulator.measure.bootstrap import DRAWS, Interval, draw_weights, expanded_limits

if TYPE_CHECKING:
    from holdfast.agents.raters.linear.heads import Features

FOLDS = 5
LEAST = 2  # texts that hold a word or a pair of words that counts


def person_folds(persons: Sequence[str], folds: int = FOLDS) -> Ints:
    """Return the fold (0 to ``folds`` - 1) of each entry: all of a person in one, chosen by a hash of the name.

    People are dealt out in the order of their hashes, so that folds differ by one person at most; with fewer people
    than folds each has a fold of its own.
    """
    ordered = sorted(set(persons), key=lambda person: hashlib.sha256(person.encode()).digest())
    fold = {person: place % folds for place, person in enumerate(ordered)}
    return np.array([fold[person] for person in persons], dtype=np.int64)


def word_features(texts: Sequence[Sequence[str]], least: int = LEAST) -> Features:
    """Return TF-IDF of words and pairs of words, a ``scipy.sparse.csr_array`` of texts x features, rows of length 1.

    ``texts``: the words of each. Weights are ``tf * (1 + ln((1 + N) / (1 + df)))``, as scikit-learn's default; what
    fewer than ``least`` texts hold is left out. Document frequencies are those of all texts given: they know no side.
    """
    from scipy.sparse import csr_array  # here, so that importing this module stays instant

    bags = [Counter([*words, *(f"{a} {b}" for a, b in pairwise(words))]) for words in texts]
    frequency = Counter(feature for bag in bags for feature in bag)
    known = sorted(feature for feature, count in frequency.items() if count >= least)
    column = {feature: place for place, feature in enumerate(known)}
    rarity = 1 + np.log((1 + len(bags)) / (1 + np.array([frequency[feature] for feature in known], dtype=np.float64)))
    rows, columns, values = [], [], []
    for row, bag in enumerate(bags):
        places = [column[feature] for feature in bag if feature in column]
        weights = np.array([bag[known[place]] for place in places]) * rarity[places] if places else np.zeros(0)
        rows += [row] * len(places)
        columns += places
        values.append(weights / max(float(np.linalg.norm(weights)), 1e-12))
    flat = np.concatenate(values) if values else np.zeros(0)
    return csr_array((flat, (rows, columns)), shape=(len(bags), len(known)))


def held_out_scores(features: Features, truth: Ints, folds: Ints, strength: float) -> Floats:
    """Return each text's logit by a logistic regression that learned on the other folds; nan where it cannot.

    Args:
        features: Texts x features, dense or sparse.
        truth: (texts), 1 or 0: whose text it is.
        folds: (texts), as :func:`person_folds` gives.
        strength: Inverse L2 penalty.
    """
    from holdfast.agents.raters.linear.heads import logistic

    scores = np.full(len(truth), np.nan)
    for fold in np.unique(folds):
        learned, asked = folds != fold, folds == fold
        if len(np.unique(truth[learned])) == 2:
            theta = logistic(features[learned], truth[learned] == 1, np.ones(int(learned.sum())), strength)
            scores[asked] = features[asked] @ theta[:-1] + theta[-1]
    return scores


def area_under_curve(
    scores: Floats, truth: Ints, folds: Ints, persons: Sequence[str], rng: np.random.Generator, draws: int = DRAWS
) -> Interval:
    """Return the AUC over the pairs within folds, with limits of a bootstrap that draws people anew on both sides.

    The classifiers stay as they are in it. ``n``: texts with a score. nan where no fold has both sides; limits are nan
    below five people on a side.
    """
    there = ~np.isnan(scores)
    sides = [np.flatnonzero(there & (truth == side)) for side in (1, 0)]
    names = np.asarray(persons, dtype=str)
    codes = [np.unique(names[rows], return_inverse=True)[1] for rows in sides]
    people = [int(code.max()) + 1 if len(code) else 0 for code in codes]
    wins, pairs = np.zeros(people), np.zeros(people)
    for fold in np.unique(folds):
        (mine, own), (theirs, other) = (
            (scores[rows[folds[rows] == fold]], code[folds[rows] == fold])
            for rows, code in zip(sides, codes, strict=True)
        )
        won = (mine[:, None] > theirs) + 0.5 * (mine[:, None] == theirs)
        np.add.at(wins, (own[:, None], other), won)
        np.add.at(pairs, (own[:, None], other), 1.0)
    a, b = (draw_weights(count, rng, draws) for count in people)
    drawn = divide(((a @ wins) * b).sum(axis=1), ((a @ pairs) * b).sum(axis=1))
    lo, hi, reasons = expanded_limits(drawn[:, None], np.array([min(people)]))
    mean = divide([wins.sum()], [pairs.sum()])
    return Interval(float(mean[0]), float(lo[0]), float(hi[0]), int(there.sum()), reasons[0])


def matched(first: Sequence[int], second: Sequence[int], most: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return rows of both sides, equally many of each place, at most ``most`` a side, drawn at random.

    ``first``, ``second``: the place (a turn's number) of each row. Places that one side lacks are left out.
    """
    of = [{place: np.flatnonzero(np.asarray(side) == place) for place in set(side)} for side in (first, second)]
    shared = sorted(of[0].keys() & of[1].keys())
    whole = {place: min(len(of[0][place]), len(of[1][place])) for place in shared}
    total = sum(whole.values())
    share = min(1.0, most / total) if total else 0.0
    chosen: list[list[Ints]] = [[], []]
    for place in shared:
        count = max(1, int(share * whole[place]))
        for side, rows in zip(chosen, of, strict=True):
            side.append(np.sort(rng.choice(rows[place], count, replace=False)))
    a, b = (np.concatenate(side) if side else np.zeros(0, dtype=np.int64) for side in chosen)
    return a, b
