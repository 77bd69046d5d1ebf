from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from holdfast.simulator.measure.bootstrap import all_alike
from holdfast.simulator.measure.text.two_sample import (
    area_under_curve,
    held_out_scores,
    matched,
    person_folds,
    word_features,
)

WORDS = [f"w{number}" for number in range(60)]


def speakers(side: int, people: int, messages: int, shift: float, seed: int) -> tuple[list[list[str]], list[str]]:
    """People who draw words from one distribution, bent by ``shift`` on side 1, each with a few favourites."""
    rng = np.random.default_rng([seed, side])
    bend = 1 + shift * side * np.linspace(-1, 1, len(WORDS))
    texts, persons = [], []
    for person in range(people):
        weights = bend * rng.gamma(2.0, size=len(WORDS))
        for _ in range(messages):
            texts.append([str(word) for word in rng.choice(WORDS, 12, p=weights / weights.sum())])
            persons.append(f"{side}-{person}")
    return texts, persons


def auc(shift: float, people: int = 30, seed: int = 1):
    (a, who_a), (b, who_b) = (speakers(side, people, 8, shift, seed) for side in (1, 0))
    truth = np.repeat([1, 0], [len(a), len(b)])
    folds = np.concatenate([person_folds(who_a), person_folds(who_b)])
    scores = held_out_scores(word_features([*a, *b]), truth, folds, 1.0)
    return area_under_curve(scores, truth, folds, [*who_a, *who_b], np.random.default_rng(seed))


def test_one_source_split_by_person_cannot_be_told_apart() -> None:
    intervals = [auc(0.0, people=20, seed=seed) for seed in range(20)]
    assert np.mean([each.mean for each in intervals]) == pytest.approx(0.5, abs=0.03)
    assert sum(each.lo <= 0.5 <= each.hi for each in intervals) >= 17


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "people"), [(0.0, 20), (0.0, 60), (0.3, 20), (0.3, 60), (0.6, 20), (0.6, 60)])
def test_limits_hold_the_mean_auc_a_little_too_seldom(shift: float, people: int) -> None:
    """The classifiers stay as they are in the bootstrap: what learning on other people would change is left out."""
    intervals = [auc(shift, people, seed) for seed in range(100)]
    mean = np.mean([each.mean for each in intervals])
    share = np.mean([each.lo <= mean <= each.hi for each in intervals])
    print(f"shift {shift}, {people} people a side: mean {mean:.2f}, held by {share:.0%} of the limits")
    assert share >= 0.8


def test_plainly_different_sources_are_told_apart_always() -> None:
    (a, who_a), (b, who_b) = speakers(1, 20, 8, 0.0, 1), speakers(0, 20, 8, 0.0, 1)
    a = [[f"x{word}" for word in words[:6]] + words[6:] for words in a]  # half of the words are of another language
    truth = np.repeat([1, 0], [len(a), len(b)])
    folds = np.concatenate([person_folds(who_a), person_folds(who_b)])
    scores = held_out_scores(word_features([*a, *b]), truth, folds, 1.0)
    interval = area_under_curve(scores, truth, folds, [*who_a, *who_b], np.random.default_rng(1))
    assert (interval.mean, interval.reason) == (1, all_alike(20))  # no resample is otherwise: no limits
    assert interval.n == 320


def test_folds_keep_people_whole_and_differ_by_one_person() -> None:
    persons = [f"p{number % 12}" for number in range(60)]
    folds = person_folds(persons)
    assert all(len(set(folds[[who == person for who in persons]])) == 1 for person in set(persons))
    sizes = [len({who for who, fold in zip(persons, folds, strict=True) if fold == each}) for each in range(5)]
    assert sorted(sizes) == [2, 2, 2, 3, 3]
    assert person_folds(list(reversed(persons))).tolist() == list(reversed(folds))


def test_auc_by_hand_compares_within_folds_only() -> None:
    # Fold 0: 3 against 1 and 2: both pairs won. Fold 1: 9 against 9: half a pair. Across folds 3 would lose to 9.
    scores, truth = np.array([3.0, 1, 2, 9, 9]), np.array([1, 0, 0, 1, 0])
    interval = area_under_curve(scores, truth, np.array([0, 0, 0, 1, 1]), list("abcde"), np.random.default_rng(0))
    assert interval.mean == pytest.approx(2.5 / 3)
    assert np.isnan(interval.lo)  # two people on one side
    assert interval.n == 5


def test_auc_without_a_second_side_is_undefined() -> None:
    truth = np.array([1, 1])
    interval = area_under_curve(np.array([1.0, 2]), truth, np.array([0, 1]), ["a", "b"], np.random.default_rng(0))
    assert np.isnan(interval.mean)


def test_features_classifier_and_auc_are_scikit_learns() -> None:
    (a, _), (b, _) = speakers(1, 10, 8, 0.5, 3), speakers(0, 10, 8, 0.5, 3)
    texts, truth = [*a, *b], np.repeat([1, 0], [len(a), len(b)])
    ours = word_features(texts)
    theirs = TfidfVectorizer(ngram_range=(1, 2), min_df=2, analyzer="word", token_pattern=r"\S+").fit_transform(
        [" ".join(words) for words in texts]
    )
    assert sorted(np.asarray(ours.sum(axis=1)).ravel()) == pytest.approx(sorted(np.asarray(theirs.sum(axis=1)).ravel()))
    learned = np.arange(len(truth)) % 2
    scores = held_out_scores(ours, truth, learned, 1.0)
    model = LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(theirs[learned == 1], truth[learned == 1])
    known = model.decision_function(theirs[learned == 0])
    assert np.corrcoef(scores[learned == 0], known)[0, 1] > 0.999
    one_fold = area_under_curve(
        scores, truth, np.where(learned == 0, 0, -1), [str(n) for n in range(len(truth))], np.random.default_rng(0)
    )
    assert np.isfinite(one_fold.mean)
    only = np.where(learned == 0, scores, np.nan)
    alone = area_under_curve(only, truth, learned * 0, [str(n) for n in range(len(truth))], np.random.default_rng(0))
    assert alone.mean == pytest.approx(roc_auc_score(truth[learned == 0], scores[learned == 0]))


def test_matching_takes_equally_many_of_each_turn() -> None:
    first, second = [1, 1, 1, 2, 2, 3], [1, 1, 2, 2, 2, 4]
    a, b = matched(first, second, 100, np.random.default_rng(0))
    assert sorted(first[row] for row in a) == sorted(second[row] for row in b) == [1, 1, 2, 2]
    a, b = matched(first, second, 2, np.random.default_rng(0))
    assert sorted(first[row] for row in a) == sorted(second[row] for row in b) == [1, 2]
    assert [len(rows) for rows in matched([1], [2], 5, np.random.default_rng(0))] == [0, 0]
