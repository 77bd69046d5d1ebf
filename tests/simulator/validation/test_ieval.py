"""iEval: reading it, its table by hand, and what the shipped recipe reaches on it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas
import pytest
from scipy.stats import rankdata, spearmanr
from statsmodels.regression.linear_model import OLS

from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.felt.rater import PeopleFeeler
from holdfast.agents.raters.protocol import FELT
from holdfast.core.errors import DataError
from holdfast.simulator.validation.chats import read_ieval
from holdfast.simulator.validation.perceived import (
    ceiling,
    chats_table,
    expressed_levels,
    partial_spearman,
    without_group_means,
)
from holdfast.simulator.validation.scoring import score


def test_reading(ieval_data: Path) -> None:
    chats = read_ieval(ieval_data)
    labelled = chats.labelled
    assert labelled.dimensions == ("affective_understanding", "response_appropriateness")
    assert len(labelled.passages) == 24
    assert labelled.people[:4] == ("0", "0", "1", "1")
    assert chats.bots[:2] == ("Pink", "Green")
    assert set(chats.lengths) == {3 * len("So sorry, that must be hard."), 3 * len("Ha ha, who cares about it.")}
    assert chats.rows(np.array([1, 3])).bots == ("Green", "Green")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("0,Pink,4", "0,Pink,6"), r"conversations\.csv:2: EU is '6'; allowed: 1, 2, 3, 4, 5"),
        (('""role""', '""rule""'), r"conversations\.csv:2: messages are no JSON list of role and content"),
        (("conversation_id,part", "conversation_id,worker"), r"conversations\.csv:1: columns absent: part"),
        (("0-Pink,0,Pink,", "0-Pink,0,"), r"conversations\.csv:2: the row has too few or too many columns"),
        (("assistant", "user"), "the chat has no message of the assistant"),
    ],
)
def test_malformed_rows_are_named(ieval_data: Path, change: tuple[str, str], message: str) -> None:
    path = ieval_data / "ieval" / "conversations.csv"
    text = path.read_text(encoding="utf-8").replace("0,Pink,1", "0,Pink,4")
    path.write_text(text.replace(change[0], change[1]), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_ieval(ieval_data)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv.gz"])
def test_labels_in_other_files(ieval_data: Path, suffix: str) -> None:
    expected = read_ieval(ieval_data)
    path = ieval_data / "ieval" / "conversations.csv"
    frame = pandas.read_csv(path)
    path.unlink()
    frame["messages"] = frame["messages"].map(json.loads) if suffix != ".csv.gz" else frame["messages"]
    out = path.with_name(f"conversations{suffix}")
    if suffix == ".jsonl":
        frame.to_json(out, orient="records", lines=True)
    elif suffix == ".parquet":
        frame.astype({"EU": float}).to_parquet(out)
    else:
        frame.to_csv(out, index=False)
    chats = read_ieval(ieval_data)
    assert chats.labelled.passages == expected.labelled.passages
    np.testing.assert_array_equal(chats.labelled.labels, expected.labelled.labels)
    assert chats.labelled.people == expected.labelled.people


def test_a_rater_that_only_knows_the_chatbot_agrees_with_nobody_within_it(ieval_data: Path) -> None:
    chats = read_ieval(ieval_data)
    truth = chats.labelled.labels.mean(axis=1)
    by_bot = {bot: truth[np.array(chats.bots) == bot].mean() for bot in set(chats.bots)}
    knows_bots = np.array([[by_bot[bot]] for bot in chats.bots])
    table = chats_table(chats, knows_bots, draws=50)
    assert np.isnan(table["within_bot"]["mean"])  # constant within each: undefined, not 0
    perfect = chats_table(chats, truth[:, None], draws=50)
    assert perfect["spearman"]["mean"] == pytest.approx(1)
    assert perfect["within_bot"]["mean"] == pytest.approx(1)
    assert (perfect["mae"], perfect["calibration"]["error"], perfect["n"], perfect["missing"]) == (0, 0, 24, 0)


def test_missing_scores_are_counted_and_length_is_told_of_the_same_chats(ieval_data: Path) -> None:
    chats = read_ieval(ieval_data)
    scores = chats.labelled.labels.copy()
    scores[:6] = np.nan
    table = chats_table(chats, scores, draws=50)
    assert (table["n"], table["missing"]) == (18, 6)
    lengths, truth = np.array(chats.lengths)[6:], chats.labelled.labels[6:].mean(axis=1)
    assert table["length_only"]["mean"] == pytest.approx(spearmanr(lengths, truth).statistic)


def test_group_means_by_hand() -> None:
    found = without_group_means(np.array([1.0, 3.0, np.nan, 5.0]), ("a", "a", "a", "b"))
    assert found.tolist()[:2] == [-1, 1]
    assert np.isnan(found[2])
    assert found[3] == 0


def test_partial_spearman_is_the_correlation_of_what_ranks_leave() -> None:
    rng = np.random.default_rng(3)
    given = rng.normal(size=80)
    a, b = given + rng.normal(size=80), given + rng.normal(size=80)
    design = np.stack([np.ones(80), rankdata(given)], axis=1)
    left = [OLS(rankdata(one), design).fit().resid for one in (a, b)]
    assert partial_spearman(a, b, given) == pytest.approx(np.corrcoef(*left)[0, 1])
    assert np.isnan(partial_spearman(given, b, given))
    two = np.column_stack([given, rng.normal(size=80) + a])
    design = np.column_stack([np.ones(80), rankdata(two[:, 0]), rankdata(two[:, 1])])
    left = [OLS(rankdata(one), design).fit().resid for one in (a, b)]
    assert partial_spearman(a, b, two) == pytest.approx(np.corrcoef(*left)[0, 1])
    holed = np.where(np.arange(80) == 7, np.nan, a)
    assert partial_spearman(holed, b, two) == pytest.approx(
        partial_spearman(*(np.delete(x, 7, 0) for x in (a, b, two)))
    )
    assert np.isnan(partial_spearman(a[:3], b[:3], two[:3]))


def test_what_length_and_levels_explain_is_nothing_beyond_them(ieval_data: Path) -> None:
    """A rater that only knows the expressed levels goes with people's labels, and not beyond those levels."""
    chats = read_ieval(ieval_data)
    levels = expressed_levels(chats.labelled.passages)
    assert levels.shape == (24, 3)
    table = chats_table(chats, levels[:, :1], draws=50)
    assert table["spearman"]["mean"] > 0.5
    assert np.isnan(table["beyond_expressed"]["mean"])
    truth = chats.labelled.labels.mean(axis=1)
    assert chats_table(chats, truth[:, None], draws=50)["beyond_expressed"]["mean"] == pytest.approx(1)
    assert chats_table(chats, truth[:, None], draws=50)["pearson"]["mean"] == pytest.approx(1)


def test_one_label_a_chat_is_the_mean_of_the_questions(ieval_data: Path) -> None:
    chats, overall = read_ieval(ieval_data), read_ieval(ieval_data).overall()
    assert (overall.labelled.scale, overall.labelled.dimensions) == (FELT, ("overall",))
    assert overall.labelled.labels[:, 0].tolist() == chats.labelled.labels.mean(axis=1).tolist()
    assert overall.bots == chats.bots


def test_ceiling_by_hand() -> None:
    # ranks of the two questions: 1 2 3 4 and 1 2 4 3, so r = 1 - 6 * 2 / (4 * 15) = .8; 1.6 / 1.8; its root
    found = ceiling(np.array([[1, 1], [2, 2], [3, 4], [4, 3]], dtype=np.float64))
    assert found["eu_er"] == pytest.approx(0.8)
    assert found["reliability"] == pytest.approx(8 / 9)
    assert found["most"] == pytest.approx((8 / 9) ** 0.5)


@pytest.mark.slow
async def test_the_shipped_recipe_beats_length_by_far(real_data: Path) -> None:
    chats = read_ieval(real_data)
    scored = await score(FittedRater(SHIPPED_PERCEIVED), chats.labelled)
    assert scored.how == "refitted on other people"
    table = chats_table(chats, scored.values, draws=50)
    assert table["spearman"]["mean"] >= 0.55
    assert table["within_bot"]["mean"] >= 0.30
    assert table["length_only"]["mean"] < 0.42
    assert table["beyond_length"] > 0.35
    assert table["calibration"]["error"] < 0.15


@pytest.mark.slow
async def test_the_feeler_reaches_its_aim_on_people_left_out(real_data: Path) -> None:
    """Refitted on other people: r of .55 by worker, and well beyond what length and expressed levels tell."""
    chats = read_ieval(real_data).overall()
    scored = await score(PeopleFeeler(), chats.labelled)
    assert scored.how == "refitted on other people"
    table = chats_table(chats, scored.values, draws=100)
    assert table["pearson"]["mean"] >= 0.55
    assert table["beyond_expressed"]["lo"] > 0.3
    assert table["within_bot"]["mean"] >= 0.30
    assert table["calibration"]["error"] < 0.15
