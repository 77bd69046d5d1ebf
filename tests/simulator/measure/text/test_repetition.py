import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import jaccard_score
from sklearn.metrics.pairwise import cosine_similarity

from holdfast.agents.sentence_frames import split
from holdfast.simulator.measure.text.ngrams import word_ids
from holdfast.simulator.measure.text.repetition import distinct_n, self_similarity, template_share
from tests.simulator.measure.making import rng

NAN = float("nan")
VOCABULARY = ("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "qr", "st")


def test_words():
    quote = "\N{RIGHT SINGLE QUOTATION MARK}"
    assert split(f"It's 3 o{quote}clock, Zoë_B!") == ["it's", "3", f"o{quote}clock", "zoë", "b"]
    found = word_ids(["so tired of 12 it", "it"], ["I am Tired", "no"])
    assert found.ids.tolist() == [1, 0, 2, 0, 3, 3]
    assert found.starts.tolist() == [0, 5, 6]


def test_ngrams_stay_within_a_reply():
    hashes, reply = word_ids(["a b c", "", "a b", "c"]).grams(2)
    assert reply.tolist() == [0, 0, 2]
    assert hashes[0] == hashes[2] != hashes[1]


def test_templates_by_hand():
    # three words a template. "sorry about the _" is said to both users with their own word in it
    said = [["the rent", "hi"], ["my exam", "yes"]]
    replies = [["sorry about rent today", "no idea at all"], ["Sorry about exam!", "go on"]]
    found = template_share(replies, said, words=3)
    np.testing.assert_array_equal(found.fits, [[1, 0], [1, NAN]])  # "go on" is too short to hold one
    assert found.examples == ((0, 2),)
    plain = template_share(replies, [["x", "x"], ["x", "x"]], words=3)
    np.testing.assert_array_equal(plain.fits, [[0, 0], [0, NAN]])  # nothing masked, nothing shared
    assert plain.examples == ()


def test_what_one_conversation_says_again_and_again_is_no_template():
    found = template_share([["one two three"] * 4, ["four five six"]], [["x"] * 4, ["x"]], words=3)
    np.testing.assert_array_equal(found.fits, [[0] * 4, [0, NAN, NAN, NAN]])


def test_only_the_most_frequent_count():
    replies = [["a b", "c d"], ["a b", "c d"], ["a b", "e f"]]
    said = [["x", "x"]] * 3
    np.testing.assert_array_equal(template_share(replies, said, words=2, top=1).fits, [[1, 0], [1, 0], [1, 0]])
    np.testing.assert_array_equal(template_share(replies, said, words=2, top=2).fits, [[1, 1], [1, 1], [1, 0]])


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="every reply needs the user message that it answers"):
        template_share([["a"]], [[]])
    assert template_share([], []).fits.shape == (0, 0)
    assert template_share([[]], [[]], turns=3).fits.shape == (1, 3)


def test_distinct_by_hand():
    # kinds: a b, b a, b c: V = 3. First: a b, b a, a b = 2 of N = 3; expected 3 (1 - (2/3)^3) = 19/9: 18/19.
    # second: b c = 1 of N = 1, expected 3 (1 - 2/3) = 1: 1
    assert distinct_n([["a b a b"], ["b c"], ["a"], []]) == pytest.approx([18 / 19, 1, NAN, NAN], nan_ok=True)
    assert np.isnan(distinct_n([["a a a"], ["a a"]])).all()


def test_distinct_does_not_punish_length():
    draw = rng(2)
    short, long = ([[" ".join(draw.choice(VOCABULARY, n))] for _ in range(60)] for n in (30, 300))
    found = distinct_n([*short, *long])
    assert found[:60].mean() == pytest.approx(found[60:].mean(), rel=0.05)


def test_likeness_by_hand():
    # bigrams {ab, bc}, {ab, bd}, {xy}: 1/3; then (0 + 0) / 2
    found = self_similarity([["a b c", "a b d", "x y"], ["a b"], ["a", "a b", "a b"]])
    np.testing.assert_allclose(found, [[NAN, 1 / 3, 0], [NAN, NAN, NAN], [NAN, NAN, 1]])


@pytest.mark.parametrize("measure", ["jaccard", "cosine"])
def test_parity_with_sklearn(measure):
    draw = rng(3)
    replies = [" ".join(draw.choice(VOCABULARY, draw.integers(5, 20))) for _ in range(8)]
    counts = CountVectorizer(ngram_range=(2, 2)).fit_transform(replies).toarray()
    if measure == "cosine":
        likeness = cosine_similarity(counts)
    else:
        likeness = np.array([[jaccard_score(a > 0, b > 0) for b in counts] for a in counts])
    expected = [likeness[t, :t].mean() for t in range(1, 8)]
    assert self_similarity([replies], measure=measure)[0, 1:] == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.lists(st.sampled_from("abc"), max_size=6).map(" ".join), max_size=5), max_size=4))
def test_anything_stays_in_range(replies):
    for measure in ("jaccard", "cosine"):
        found = self_similarity(replies, measure=measure)
        assert ((found >= 0) & (found <= 1 + 1e-9) | np.isnan(found)).all()
    fits = template_share(replies, replies, words=2).fits
    assert (np.isin(fits, [0, 1]) | np.isnan(fits)).all()
    assert ((distinct_n(replies) > 0) | np.isnan(distinct_n(replies))).all()


@pytest.mark.slow
def test_a_hundred_thousand_turns_take_seconds():
    draw = rng(5)
    vocabulary = [f"word{i}" for i in range(3000)]
    lines = [" ".join(draw.choice(vocabulary, 25)) for _ in range(2000)]
    replies = [[lines[i] for i in draw.integers(0, 2000, 100)] for _ in range(1000)]
    began = time.process_time()
    template_share(replies, replies[::-1])
    distinct_n(replies)
    self_similarity(replies)
    took = time.process_time() - began
    print(f"100,000 turns: {took:.1f} s")
    assert took < 20
