"""A rater beside people: by hand on four replies, and on the real labels where they are there."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.linear.features import tokens
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.core.errors import DataError
from holdfast.simulator.validation.agreement import (
    agreement_table,
    beside_table,
    ceilings,
    mean_kappa,
    reply_words,
    rounded,
)
from holdfast.simulator.validation.judged import EPITOME, LEND_AN_EAR, Judged, read_judged
from holdfast.simulator.validation.scoring import score

PERFECT = np.array([[2, 0, 0], [0, 0, 0], [0, 2, 0], [0, 0, 2]], dtype=np.float64)
REQUIRED = {"emotional_reaction": 0.55, "interpretation": 0.35, "exploration": 0.60}


def test_reads_the_epitome_part_only(judged_data: Path) -> None:
    judged = read_judged(judged_data, EPITOME)
    assert judged.ids == ("id0_r", "id1_r", "id2_r", "id3_r")
    assert judged.labelled.people == ("id0", "id1", "id2", "id3")  # the post that was answered
    user, reply = judged.labelled.passages[0].messages
    assert (user.role, user.content) == ("user", "it is hard")
    assert (reply.role, reply.content) == ("assistant", "I'm so sorry to hear that.")
    assert judged.labelled.labels[:, 0].tolist() == [2, 0, 0, 0]


def test_a_conversation_ends_with_what_is_judged(judged_data: Path) -> None:
    passage = read_judged(judged_data, LEND_AN_EAR).labelled.passages[0]
    assert passage.whole
    assert [message.content for message in passage.messages] == ["hard\nand long", "What is it about 0?"]


def test_the_table_by_hand(judged_data: Path) -> None:
    table = agreement_table(read_judged(judged_data, EPITOME), PERFECT, "linear", draws=50)
    assert list(table) == ["emotional_reaction", "interpretation", "exploration"]
    by = {who: one["qwk"] for who, one in table["emotional_reaction"].items()}
    # expert 1 said 2 0 0 0, the mean of the other two is 1.5 .5 .5 .5: mean squared difference 1/4,
    # by chance .75 + .1875 + (.5 - .75)^2 = 1, so 3/4. Expert 3 never moves: 0, and so does the crowd.
    assert by["expert1"] == by["expert2"] == pytest.approx(0.75)
    assert by["expert3"] == by["crowd"] == pytest.approx(0)
    assert by["gpt"] == by["claude"] == by["linear"] == pytest.approx(1)
    # 6, 3, 4 and 6 words: the one 2 goes to the last of the longest, or to the shortest if that is better. Both are
    # wrong for emotional reaction: (4 + 4) / 4 = 2, by chance 1.5. For exploration the last is right.
    assert by["length"] == pytest.approx(1 - 2 / 1.5)
    assert table["exploration"]["length"]["qwk"] == pytest.approx(1)
    assert all(one["n"] == 4 for row in table.values() for one in row.values())
    assert mean_kappa(table)["linear"] == pytest.approx(1)


def test_ceilings_by_hand(judged_data: Path) -> None:
    # pairs of experts: 1 with 2 agree (1), expert 3 never moves (0, 0): 1/3. An expert with the rest: 3/4, 3/4, 0.
    assert ceilings(read_judged(judged_data, EPITOME))["emotional_reaction"] == {
        "expert_expert": pytest.approx(1 / 3),
        "expert_rest": pytest.approx(0.5),
    }


def test_what_stands_beside(judged_data: Path) -> None:
    table = beside_table(read_judged(judged_data, EPITOME), PERFECT)
    assert table["interpretation"]["spearman"] == pytest.approx(1)
    assert table["interpretation"]["mae"] == 0
    assert table["interpretation"]["calibration"]["error"] == 0  # type: ignore[index]


def test_levels_round_halves_upwards(judged_data: Path) -> None:
    judged = read_judged(judged_data, EPITOME)
    assert rounded(np.array([-1, 0.49, 0.5, 1.49, 1.5, 7.0]), judged).tolist() == [0, 0, 1, 1, 2, 2]
    assert rounded(np.array([0.2, 3.5]), read_judged(judged_data, LEND_AN_EAR)).tolist() == [1, 4]


def test_a_missing_score_is_left_out_and_counted(judged_data: Path) -> None:
    scores = PERFECT.copy()
    scores[1] = np.nan
    row = agreement_table(read_judged(judged_data, EPITOME), scores, "linear", draws=50)["exploration"]["linear"]
    assert (row["n"], row["qwk"]) == (3, pytest.approx(1))


def test_whole_conversations_count_all_their_replies(judged_data: Path) -> None:
    assert reply_words(read_judged(judged_data, LEND_AN_EAR).labelled.passages).tolist()[:1] == [5]


def test_an_annotator_may_skip_a_reply_but_no_expert(judged_data: Path) -> None:
    path = judged_data / "judging_empathic_communication" / "annotations_long.csv"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace("epitome,id0_r,level_explorations,gpt,0.0", "epitome,id0_r,level_explorations,gpt,"))
    judged = read_judged(judged_data, EPITOME)
    assert math.isnan(judged.levels["exploration"]["gpt"][0])
    assert agreement_table(judged, PERFECT, "linear", draws=50)["exploration"]["gpt"]["n"] == 3
    path.write_text(
        whole.replace("epitome,id0_r,level_explorations,expert1,0.0", "epitome,id0_r,level_explorations,x,0")
    )
    with pytest.raises(DataError, match="an expert's level of exploration is missing"):
        read_judged(judged_data, EPITOME)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "annotations_long.csv",
            ("gpt,2.0", "gpt,7.0"),
            r"annotations_long.csv:\d+: the level is '7.0'; allowed: 0, 1, 2\.",
        ),
        ("annotations_long.csv", ("gpt,2.0", "gpt,1.5"), r"the level is '1.5'; allowed: 0, 1, 2\."),
        ("annotations_long.csv", ("gpt,2.0", "gpt,high"), r"the level is 'high'; allowed: 0, 1, 2\."),
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
        read_judged(judged_data, EPITOME)


def test_an_absent_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"conversations\.csv: cannot be read"):
        read_judged(tmp_path, EPITOME)


async def test_the_shipped_rater_agrees_with_experts(real_data: Path) -> None:
    judged = read_judged(real_data, EPITOME)
    scored = await score(LinearRater(), judged.labelled)
    kept = np.flatnonzero(~scored.seen)
    table = agreement_table(judged.rows(kept), scored.values[kept], "linear", draws=50)
    found = {mechanism: by["linear"]["qwk"] for mechanism, by in table.items()}
    assert all(found[mechanism] >= least for mechanism, least in REQUIRED.items()), found
    assert mean_kappa(table)["linear"] >= 0.60


def test_the_judged_replies_were_not_fitted_on(real_data: Path) -> None:
    judged: Judged = read_judged(real_data, EPITOME)
    with (real_data / "epitome_reddit" / "pairs.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 2000
    assert len(judged.ids) >= 25
    assert not {f"{row['sp_id']}_{row['rp_id']}" for row in rows} & set(judged.ids)

    def words(text: str) -> str:
        return " ".join(re.findall(r"[a-z]+", " ".join(tokens(text))))

    fitted_on = {words(row["response_post"]) for row in rows}
    replies = [passage.messages[-1].content for passage in judged.labelled.passages]
    long = [words(reply) for reply in replies if len(reply.split()) > 4]
    assert len(long) > 20
    assert not fitted_on & set(long)
