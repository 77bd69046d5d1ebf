"""The rater beside people: by hand on four replies, and on the real labels where they are there."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np
import pytest

from agents.protocols import Expressed
from agents.raters import LinearRater
from agents.raters.features import tokens
from personas.errors import DataError
from simulator.validation.epitome import agreement_table, continuous_table, expert_median, to_levels
from simulator.validation.judged_epitome import read_judged_epitome

PERFECT = [Expressed(2, 0, 0), Expressed(0, 0, 0), Expressed(0, 2, 0), Expressed(0, 0, 2)]
REQUIRED = {"emotional_reaction": 0.55, "interpretation": 0.35, "exploration": 0.60}


def test_reads_the_epitome_part_only(judged_data: Path) -> None:
    judged = read_judged_epitome(judged_data)
    assert judged.ids == ("id0", "id1", "id2", "id3")
    assert judged.exchanges[0].user == "it is hard"
    assert judged.exchanges[0].reply == "I'm so sorry to hear that."
    assert expert_median(judged, "emotional_reaction").tolist() == [2, 0, 0, 0]


def test_the_table_by_hand(judged_data: Path) -> None:
    table = agreement_table(read_judged_epitome(judged_data), PERFECT, "linear", draws=50)
    assert list(table) == ["emotional_reaction", "interpretation", "exploration"]
    by = {who: one["qwk"] for who, one in table["emotional_reaction"].items()}
    # expert 1 said 2 0 0 0, the mean of the other two is 1.5 .5 .5 .5: mean squared difference 1/4,
    # by chance .75 + .1875 + (.5 - .75)^2 = 1, so 3/4. Expert 3 never moves: 0, and so does the crowd.
    assert by["expert1"] == by["expert2"] == pytest.approx(0.75)
    assert by["expert3"] == by["crowd"] == pytest.approx(0)
    assert by["gpt"] == by["claude"] == by["linear"] == pytest.approx(1)
    # 6, 3, 4 and 6 words: the last of the longest gets the one 2. Difference (4 + 4) / 4 = 2, by chance 1.5.
    assert by["length"] == pytest.approx(1 - 2 / 1.5)
    assert table["exploration"]["length"]["qwk"] == pytest.approx(1)
    assert all(one["n"] == 4 for row in table.values() for one in row.values())


def test_continuous_scores(judged_data: Path) -> None:
    table = continuous_table(read_judged_epitome(judged_data), PERFECT)
    assert table["interpretation"] == {"spearman": pytest.approx(1), "mae": 0}


def test_levels_round_halves_upwards() -> None:
    assert to_levels(np.array([0, 0.49, 0.5, 1.49, 1.5, 2.0])).tolist() == [0, 0, 1, 1, 2, 2]


def test_an_annotator_may_skip_a_reply_but_no_expert(judged_data: Path) -> None:
    path = judged_data / "judging_empathic_communication" / "annotations_long.csv"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace("epitome,id0,level_explorations,gpt,0.0", "epitome,id0,level_explorations,gpt,"))
    judged = read_judged_epitome(judged_data)
    assert math.isnan(judged.levels["exploration"]["gpt"][0])
    assert agreement_table(judged, PERFECT, "linear", draws=50)["exploration"]["gpt"]["n"] == 3
    path.write_text(whole.replace("epitome,id0,level_explorations,expert1,0.0", "epitome,id0,level_explorations,x,0"))
    with pytest.raises(DataError, match="an expert's level of exploration is missing"):
        read_judged_epitome(judged_data)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "annotations_long.csv",
            ("gpt,2.0", "gpt,7.0"),
            r"annotations_long.csv:\d+: the level is '7.0'; allowed: 0, 1, 2",
        ),
        (
            "annotations_long.csv",
            ("gpt,2.0", "gpt"),
            r"annotations_long.csv:\d+: the row has too few or too many columns",
        ),
        ("annotations_long.csv", ("annotator", "who"), r"annotations_long.csv:1: columns absent: annotator"),
        (
            "conversations.csv",
            ("Supporter: Write", "Write"),
            r"conversations.csv:\d+: the conversation has no 'Supporter:'",
        ),
        ("conversations.csv", ("epitome", "epithet"), r"holds no conversation of the data set 'epitome'"),
    ],
)
def test_malformed_files_are_named(judged_data: Path, file: str, change: tuple[str, str], message: str) -> None:
    path = judged_data / "judging_empathic_communication" / file
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_judged_epitome(judged_data)


def test_an_absent_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"conversations\.csv: cannot be read"):
        read_judged_epitome(tmp_path)


def test_the_shipped_rater_agrees_with_experts(real_data: Path) -> None:
    judged = read_judged_epitome(real_data)
    table = agreement_table(judged, LinearRater().score(judged.exchanges), "linear", draws=200)
    found = {mechanism: by["linear"]["qwk"] for mechanism, by in table.items()}
    assert all(found[mechanism] >= least for mechanism, least in REQUIRED.items()), found


def test_the_judged_replies_were_not_fitted_on(real_data: Path) -> None:
    judged = read_judged_epitome(real_data)
    with (real_data / "epitome_reddit" / "pairs.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 2000
    assert len(judged.ids) >= 25
    assert not {f"{row['sp_id']}_{row['rp_id']}" for row in rows} & set(judged.ids)

    def words(text: str) -> str:
        return " ".join(re.findall(r"[a-z]+", " ".join(tokens(text))))

    fitted_on = {words(row["response_post"]) for row in rows}
    long = [words(one.reply) for one in judged.exchanges if len(one.reply.split()) > 4]
    assert len(long) > 20
    assert not fitted_on & set(long)
