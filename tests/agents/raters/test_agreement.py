"""Krippendorff's alpha against the example he published, kappas against scikit-learn, both by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from holdfast.agents.raters.agreement import krippendorff_alpha, linear_weighted_kappa

NAN = math.nan
#: Four observers and twelve units (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section C).
PUBLISHED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]
levels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40)
tables = st.lists(st.lists(st.one_of(st.integers(0, 3), st.none()), min_size=6, max_size=6), min_size=2, max_size=4)


def test_alpha_of_the_published_example() -> None:
    assert krippendorff_alpha(PUBLISHED, "interval") == pytest.approx(0.849, abs=5e-4)
    assert krippendorff_alpha(PUBLISHED, "ordinal") == pytest.approx(0.815, abs=5e-4)


def test_alpha_by_hand() -> None:
    # Two raters, items (0, 1) and (2, 2): values 0 1 2 2. Within: both orders of 0 and 1 give 1 + 1, over (2 - 1), of 4
    # values: 2/4. Among all: ordered couples 2 * (1 + 4 + 4 + 1 + 1 + 0) = 22, over 4 * 3: 22/12.
    # 1 - (1/2) / (22/12) = 8/11.
    assert krippendorff_alpha([[0, 2], [1, 2]]) == pytest.approx(8 / 11)
    # Mid-ranks of 0 1 2 2 are 1 2 3.5 3.5: within 2/4; couples 2 * (1 + 6.25 + 6.25 + 2.25 + 2.25 + 0) = 36, over 12.
    assert krippendorff_alpha([[0, 2], [1, 2]], "ordinal") == pytest.approx(1 - 0.5 / 3)


def by_definition(table: np.ndarray, ordinal: bool) -> float:
    """The coincidence matrix, as Krippendorff writes it down."""
    units = [[value for value in column if not math.isnan(value)] for column in table.T]
    units = [unit for unit in units if len(unit) > 1]
    seen = sorted({value for unit in units for value in unit})
    o = np.zeros((len(seen), len(seen)))
    for unit in units:
        for i, a in enumerate(unit):
            for j, b in enumerate(unit):
                if i != j:
                    o[seen.index(a), seen.index(b)] += 1 / (len(unit) - 1)
    n = o.sum(axis=1)
    d = np.zeros_like(o)
    for c in range(len(seen)):
        for k in range(len(seen)):
            lo, hi = min(c, k), max(c, k)
            d[c, k] = (n[lo : hi + 1].sum() - (n[lo] + n[hi]) / 2) ** 2 if ordinal else (seen[c] - seen[k]) ** 2
    expected = float((np.outer(n, n) * d).sum()) / (n.sum() - 1) if n.sum() > 1 else 0.0
    return 1 - float((o * d).sum()) / expected if expected else math.nan


@given(tables)
@settings(max_examples=150, deadline=None)
def test_alpha_as_its_definition(rows: list[list[int | None]]) -> None:
    table = np.array(rows, dtype=float)
    for metric in ("interval", "ordinal"):
        ours, theirs = krippendorff_alpha(table, metric), by_definition(table, metric == "ordinal")  # type: ignore[arg-type]
        assert (math.isnan(ours) and math.isnan(theirs)) or ours == pytest.approx(theirs, abs=1e-9)


@given(levels)
@settings(max_examples=150, deadline=None)
def test_linear_kappa_as_scikit_learn_has_it(couples: list[tuple[int, int]]) -> None:
    a, b = zip(*couples, strict=True)
    ours = linear_weighted_kappa(a, b)
    if math.isnan(ours):
        assert len(set(a + b)) == 1
    else:
        assert ours == pytest.approx(cohen_kappa_score(a, b, weights="linear", labels=range(5)), abs=1e-9)


@pytest.mark.parametrize("ratings", [[[], []], [[1, NAN], [NAN, 2]], [[2, 2], [2, 2]], [[1, 2, 3]]])
def test_alpha_is_undefined(ratings: list[list[float]]) -> None:
    assert math.isnan(krippendorff_alpha(np.array(ratings, dtype=float)))


def test_alpha_wants_a_table() -> None:
    with pytest.raises(ValueError, match=r"\(raters, items\), got shape \(3,\)"):
        krippendorff_alpha([1, 2, 3])


def test_alpha_keeps_its_digits_far_from_zero() -> None:
    table = np.array(PUBLISHED)
    assert krippendorff_alpha(table + 1e6) == pytest.approx(krippendorff_alpha(table), abs=1e-6)
