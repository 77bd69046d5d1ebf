from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from holdfast.simulator.measure.text.realism import DocumentFrequencies, Realism, act_of, act_stickiness

LINES = ["I feel tired about my sleep.", "How do I sort the slides?", "Thanks, that helps.", "", "a b c"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="ab cdé.,'?", max_size=30), min_size=1, max_size=8))
def test_tf_idf_is_scikit_learns(texts: list[str]) -> None:
    ours = DocumentFrequencies.of(texts).weigh(texts)
    try:
        theirs = TfidfVectorizer().fit_transform(texts).toarray()
    except ValueError:  # no word in any text
        assert ours.shape == (len(texts), 0)
        return
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_stickiness_by_hand() -> None:
    # q q f q: one of three neighbours is the same. Drawn without order: (3 * 2 + 1 * 0) / (4 * 3) = .5.
    assert act_stickiness(["q", "q", "f", "q"]) == (pytest.approx(1 / 3), pytest.approx(0.5))
    assert act_stickiness(["q", "q"]) == (1, 1)
    assert all(map(np.isnan, act_stickiness(["q"])))


def test_stickiness_by_chance_is_the_mean_over_all_orders() -> None:
    rng = np.random.default_rng(1)
    acts = ["q"] * 5 + ["f"] * 3 + ["t"] * 2
    shares = [act_stickiness(list(rng.permutation(acts)))[0] for _ in range(20_000)]
    # Its standard error is about .001: the share of 9 neighbours has a standard deviation of about .14.
    assert np.mean(shares) == pytest.approx(act_stickiness(acts)[1], abs=0.005)


@pytest.mark.parametrize(
    ("line", "act"),
    [
        ("How do I sort the slides?", "question"),
        ("Thank you, can I ask more?", "thanks"),
        ("My sleep makes me feel tired.", "feeling"),
        ("There is also the night shift.", "statement"),
    ],
)
def test_an_act_is_known_by_its_form(line: str, act: str) -> None:
    assert act_of(line) == act


def test_measures_of_small_conversations_by_hand() -> None:
    talk = ["the slides", "the slides", "thanks ever so much"]
    found = Realism.of([talk, [], ["hello"]], ["the slides", "x", "goodbye"])
    np.testing.assert_allclose(found.words, [(2 + 2 + 4) / 3, np.nan, 1])
    np.testing.assert_allclose(found.agreeable, [1 / 3, np.nan, 0])
    np.testing.assert_allclose(found.distinct, [2 / 3, np.nan, 1])
    # Lines 1 and 2 are the persona's text to the word (cosine 1), line 3 shares none of it.
    np.testing.assert_allclose(found.prompt_to_line, [2 / 3, np.nan, 0])
    # Line 2 equals what was said before (1), line 3 shares nothing (0); one line has nothing before it.
    np.testing.assert_allclose(found.line_to_line, [1 / 2, np.nan, np.nan])
    # statement, statement, thanks: one of two neighbours; 2 * 1 / (3 * 2) by chance.
    np.testing.assert_allclose(found.stickiness, [1 / 2, np.nan, np.nan])
    np.testing.assert_allclose(found.stickiness_by_chance, [1 / 3, np.nan, np.nan])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(LINES), max_size=6), max_size=4))
def test_every_share_is_a_share(conversations: list[list[str]]) -> None:
    found = Realism.of(conversations, ["my sleep is bad"] * len(conversations))
    for name in ("prompt_to_line", "line_to_line", "stickiness", "stickiness_by_chance", "agreeable", "distinct"):
        values = getattr(found, name)
        assert values.shape == (len(conversations),)
        there = values[~np.isnan(values)]
        assert ((there >= 0) & (there <= 1 + 1e-9)).all()
