"""A journal keeps both outcomes of the gate, and reads the rows of before, which have none."""

from dataclasses import replace

import pytest

from holdfast.agents.raters.gate.rater import disqualified, silence
from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.simulator.journal.rows import dumps, ratings_of, turn_row
from tests.simulator.results.test_build import conversation


@pytest.mark.parametrize(
    "rating",
    [
        disqualified(expressed(2, 0, 0), "loop", "sorry sorry (8 times)"),
        silence("a refusal"),
        silence("an unknown shape (x)"),
        Rating(missing="in a language that the rater does not know (es)"),
    ],
)
def test_there_and_back(rating: Rating) -> None:
    (turn,) = conversation("base", "p0", [0.5], max_turns=1).turns
    row = turn_row(replace(turn, ratings={"linear": rating}))
    assert ratings_of(row[5]) == {"linear": rating}


def test_a_row_of_before_is_not_disqualified() -> None:
    raw = dumps({"linear": {"missing": "no answer: an empty message"}})
    assert ratings_of(raw) == {"linear": Rating(missing="no answer: an empty message")}
