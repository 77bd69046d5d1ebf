"""The feeler's sum by hand, and its files."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.dialogue.features import COUNTED
from holdfast.agents.raters.dialogue.window import WindowTurn
from holdfast.agents.raters.dialogue.word_table import WordTable
from holdfast.agents.raters.felt.model import FeltModel
from holdfast.agents.raters.felt.reading import REPLY, USER, WEIGHTS, FeltReading
from holdfast.agents.raters.linear.features import ENDS, START
from holdfast.core.errors import DataError

WORDS = (START, *ENDS, "sorry", "thanks")
SORRY, THANKS = 2 * 6 + REPLY, 2 * 7 + USER
COLD = (WindowTurn("Hello there", "Next"),)
KIND = (WindowTurn("Hello there", "Next"), WindowTurn("Thanks", "So sorry"))


def model(dense: dict[int, float] | None = None) -> FeltModel:
    """ "sorry" in a reply counts .5 in the mean and .25 at the end, "thanks" of the user 1 and 2, all beside 2."""
    weights = np.zeros(len(WEIGHTS))
    for place, weight in (dense or {}).items():
        weights[place] = weight
    return FeltModel(
        table=WordTable(WORDS, np.array([SORRY, THANKS]), np.array([2.0, 3.0], dtype=np.float32)),
        centre=np.zeros(len(WEIGHTS)),
        spread=1 / WEIGHTS,
        dense_weights=weights,
        word_weights=np.array([[0.5, 0.25], [1, 2]], dtype=np.float32),
        bias=np.array([2.0]),
    )


def test_words_by_hand() -> None:
    # nothing known: the bias. Then, a vector of one run is 1 long whatever its idf: "sorry" in one of two replies, the
    # last: .5 / 2 + .25; "thanks" in one of two messages, one of the last two: 1 / 2 + 2 / 2
    assert model().score(COLD) == 2
    assert model().score(KIND) == pytest.approx(2 + 0.25 + 0.25 + 0.5 + 1)
    assert model().score((*KIND, COLD[0])) == pytest.approx(2 + 0.5 / 3 + 1 / 3 + 2 / 2)  # no longer the last reply
    assert model().score((*KIND, COLD[0], COLD[0])[-3:]) == pytest.approx(2 + 0.5 / 3 + 1 / 3)


def test_several_runs_of_a_message_share_its_length() -> None:
    both = replace(model(), table=WordTable(WORDS, np.array([SORRY, 2 * 7 + REPLY]), np.array([3, 4], np.float32)))
    # (3, 4) / 5 against weights (.5 + .25, 1 + 2)
    assert both.score((WindowTurn("", "thanks sorry"),)) == pytest.approx(2 + 0.6 * 0.75 + 0.8 * 3)


def test_counted_numbers_stop_at_three_standard_deviations_and_scores_at_the_scale() -> None:
    asks = COUNTED.index("reply_asks")
    curious = (WindowTurn("", "Why?"),)
    assert model({asks: 2.0}).score(curious) == pytest.approx(2 + 2 * min(1 * WEIGHTS[0], 3 * WEIGHTS[0]))
    near = replace(model({asks: 2.0}), spread=np.full(len(WEIGHTS), 0.1))
    assert near.score(curious) == pytest.approx(2 + 2 * 3 * WEIGHTS[0])
    assert model({asks: 100.0}).score(curious) == 5
    assert model({asks: -100.0}).score(curious) == 1


def test_a_chat_without_a_reply_has_no_score() -> None:
    assert math.isnan(model().predict(FeltReading(((), COLD)))[0, 0])
    assert model().predict(FeltReading(((), COLD)))[1, 0] == 2


def test_files_give_the_model_back_and_damaged_ones_one_error(tmp_path: Path) -> None:
    model().save(tmp_path)
    again = FeltModel.load(tmp_path)
    assert again.score(KIND) == model().score(KIND)
    replace(model(), word_weights=np.zeros((3, 2), dtype=np.float32)).save(tmp_path)
    with pytest.raises(DataError, match=r"word_weights has shape \(3, 2\), expected \(2, 2\)"):
        FeltModel.load(tmp_path)
