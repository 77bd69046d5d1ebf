"""Fitting: the same bytes twice, levels that come back, and clear words about bad data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.agreement import best_cuts
from holdfast.agents.raters.linear.epitome_pairs import EpitomePair, read_pairs, sentence_labels
from holdfast.agents.raters.linear.fit import Labels, fit, fit_files
from holdfast.agents.raters.linear.rater import SHIPPED, LinearRater
from holdfast.core.errors import DataError
from tests.agents.raters.neutral import REPLIES
from tests.passages import exchange


def test_refit_gives_the_same_bytes(own_pairs: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    fit_files(Labels.read(own_pairs, None), one)
    fit_files(Labels.read(own_pairs, None), two)
    names = sorted(file.name for file in one.iterdir())
    assert names == ["card.md", "people.json", "vocabulary.json", "weights.npz"]
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_fitted_levels_come_back(own_pairs: Path, tmp_path: Path) -> None:
    fitted = fit_files(Labels.read(own_pairs, None), tmp_path / "out")
    assert all(numbers["qwk"] > 0.9 for numbers in fitted.held_out.values())
    replies = [
        "Call about it. So sorry about this, sending love!",
        "What about the boat hurts you most?",
        "Write a list.",
    ]
    found = LinearRater(tmp_path / "out").score([exchange("", reply) for reply in replies])
    levels = [tuple(round(level) for level in one.values.values()) for one in found]
    assert levels == [(2, 0, 0), (0, 0, 2), (0, 0, 0)]


def test_posts_are_held_out_whole(own_pairs: Path) -> None:
    from holdfast.agents.raters.linear.design import prepare

    pairs = read_pairs(own_pairs / "pairs.csv")
    fold = prepare(pairs, seed=3, folds=5, min_replies=3).fold
    by_post = {
        pair.post_id: {int(f) for f, p in zip(fold, pairs, strict=True) if p.post_id == pair.post_id} for pair in pairs
    }
    assert all(len(folds) == 1 for folds in by_post.values())
    assert {f for folds in by_post.values() for f in folds} == {0, 1, 2, 3, 4}


def test_a_rationale_marks_its_sentence() -> None:
    pair = EpitomePair(
        "a", "Go on. I\u2019m so sorry about it. Bye", (2, 0, 1), (("I'm so sorry",), (), ("not in the reply",))
    )
    levels, weights = sentence_labels([pair])
    assert levels[:, 0].tolist() == [0, 2, 0]
    assert levels[:, 1].tolist() == [0, 0, 0]
    assert weights[:, 0].tolist() == weights[:, 1].tolist() == [1, 1, 1]
    assert weights[:, 2].tolist() == [0, 0, 0]  # nobody knows which sentence explored


def test_cuts_by_hand() -> None:
    # Levels are told apart perfectly by any cut in (.2, .9) and any in (1.1, 1.8).
    expected = np.repeat([0.2, 0.9, 1.1, 1.8], 10)
    truth = np.repeat([0, 1, 1, 2], 10)
    cuts, kappa = best_cuts(expected, truth)
    assert kappa == pytest.approx(1)
    assert 0.2 <= cuts[0] < 0.9
    assert 1.1 <= cuts[1] < 1.8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("post0,", "post0,extra,more,"), r"pairs.csv:2: the row has too few or too many columns"),
        (("away.,2,0,0,", "away.,5,0,0,"), r"pairs.csv:2: ER_level is '5'; allowed: 0, 1, 2"),
        (("sp_id", "id"), r"pairs.csv:1: columns absent: sp_id"),
    ],
)
def test_malformed_rows_are_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    header = "sp_id,response_post,ER_level,IP_level,EX_level,ER_rationales,IP_rationales,EX_rationales\n"
    good = header + "post0,So far away.,2,0,0,So far away.|,,\n"
    path = tmp_path / "pairs.csv"
    path.write_text(good)
    assert len(read_pairs(path)) == 1
    path.write_text(good.replace(*change))
    with pytest.raises(DataError, match=message):
        read_pairs(path)


def test_absent_empty_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        Labels.read(tmp_path, None)
    path = tmp_path / "pairs.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")  # the mark of UTF-16
    with pytest.raises(DataError, match="columns absent"):
        read_pairs(path)
    path.write_text("sp_id,response_post,ER_level,IP_level,EX_level,ER_rationales,IP_rationales,EX_rationales\n")
    with pytest.raises(DataError, match="holds no pairs"):
        read_pairs(path)


def test_a_level_that_never_occurs() -> None:
    with pytest.raises(DataError, match="every level 0, 1, 2 must occur"):
        fit(Labels([EpitomePair(str(n), "good luck to you", (0, 0, 0), ((), (), ())) for n in range(10)]))


@pytest.mark.slow
@pytest.mark.timeout(1800)  # more than five minutes on a machine that has other work
def test_the_shipped_weights_are_what_the_command_makes(real_data: Path, tmp_path: Path) -> None:
    fit_files(Labels.read(real_data, REPLIES), tmp_path)
    assert (tmp_path / "vocabulary.json").read_bytes() == (SHIPPED / "vocabulary.json").read_bytes()
    again, shipped = LinearRater(tmp_path).model, LinearRater().model
    assert np.array_equal(again.keys, shipped.keys)
    assert np.allclose(again.weights, shipped.weights, atol=1e-3)  # other machines round otherwise
