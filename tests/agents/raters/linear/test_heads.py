"""Heads on sentences of which the strongest answers: worked out on a few sentences of three words."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from holdfast.agents.raters.linear.design import prepare
from holdfast.agents.raters.linear.epitome_pairs import EpitomePair
from holdfast.agents.raters.linear.features import NO_SENTENCE
from holdfast.agents.raters.linear.heads import LabelledSentences, fitted_scale, heads, logits_held_out, strongest_of

#: Ten replies "warm. dull." at level 2 and ten "dull. plain." at 0; no sentence's own label is known.
WARM, DULL, PLAIN = np.eye(3)
ROWS = np.array([WARM, DULL, DULL, PLAIN] * 10)
SENTENCES = LabelledSentences(
    ROWS, np.repeat(np.arange(20), 2), np.tile([2, 2, 0, 0], 10), np.zeros(40, dtype=np.int64), np.zeros(40)
)


@pytest.mark.parametrize("sparse", [False, True])
def test_replies_tell_which_of_their_sentences_earned_the_level(sparse: bool) -> None:
    rows = csr_array(ROWS) if sparse else ROWS
    sentences = LabelledSentences(rows, *(getattr(SENTENCES, name) for name in SENTENCES.__slots__[1:]))
    theta = heads(sentences, 10.0, 0.0)
    warm, dull, plain = theta[:3, 0] + theta[3, 0]
    assert warm > 2
    assert max(dull, plain) < -2  # the dull sentence beside the warm one is not blamed on


def test_own_labels_count_where_they_are_known() -> None:
    known = LabelledSentences(ROWS, SENTENCES.reply, SENTENCES.of_replies, np.tile([0, 2, 0, 0], 10), np.ones(40))
    theta = heads(known, 1.0, 10.0)  # they say that the dull sentence earned it, against what the replies say
    assert theta[1, 0] > theta[0, 0]


def test_the_strongest_and_what_is_held_out() -> None:
    logits = np.array([[1.0, -3.0], [0.0, 2.0], [-5.0, -5.0]])
    assert strongest_of(logits, np.array([0, 0, 2]), 3).tolist() == [[1, 2], [NO_SENTENCE] * 2, [-5, -5]]
    by_fold = {0: np.array([[1.0, 2.0], [10.0, 20.0]]), 1: np.array([[3.0, 4.0], [0.0, 0.0]])}
    assert logits_held_out(by_fold, np.array([[1.0], [2.0]]), np.array([0, 1])).tolist() == [[11, 22], [6, 8]]


def test_the_scale_begins_a_tenth_below_its_first_cut() -> None:
    (quiet, low, _, most), *_ = fitted_scale(np.repeat([0.2, 0.9, 1.1, 1.8], 10), np.repeat([0, 1, 1, 2], 10))
    assert quiet == pytest.approx(0.9 * low)
    assert most == 2


def test_what_is_inside_a_reply_is_one_text_of_unit_length_to_the_power_of_a_half() -> None:
    pairs = [EpitomePair(str(n), "Warm. Dull.", (0, 0, 0), ((), (), ())) for n in range(3)]
    design = prepare(pairs, 0, 3, 3)
    assert design.runs.shape[0] == 6
    first = design.replies(np.array([True, False] * 3)).toarray()
    alone = design.runs.toarray()[0] / design.squares[0] ** 0.25
    assert np.allclose(first, alone)
    assert not design.replies(np.zeros(6, dtype=bool)).toarray().any()
    assert np.linalg.norm(design.sentences().toarray(), axis=1) == pytest.approx(1)
