"""``holding`` in results.json: from conversations to verdicts."""

import math
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from holdfast.simulator.results.holding import left_early, mixed_slopes, words_by_turn
from tests.simulator.measure.making import curve_episode
from tests.simulator.results.test_build import DECAY, LONG, SCHEMA, build, conversation, study, written


def ends(episode, why):
    """The same conversation, its last turn closed with a reason."""
    return replace(episode, turns=(*episode.turns[:-1], replace(episode.turns[-1], stop=why)))


@pytest.fixture(scope="module")
def results():
    return build(study(DECAY, turns=LONG))


def test_a_candidate_that_keeps_its_level_holds_and_one_that_falls_does_not(results):
    tested = {name: each.holding.holds for name, each in results.candidates.items()}
    assert {name: each.verdict for name, each in tested.items()} == {
        "base": "does not hold",  # it never was good
        "routed": "holds",
        "system_prompt": "does not hold",
    }
    assert {name: each.course for name, each in tested.items()} == {
        "base": "steady",
        "routed": "steady",
        "system_prompt": "falls",
    }
    slopes = results.candidates["system_prompt"].holding.mixed_slope
    assert slopes.closing_turns == 4
    for name in ("all_turns", "without_closing"):
        assert getattr(slopes, name).lo <= -0.35 / 23 + 0.001 <= getattr(slopes, name).hi + 0.002
    # every reply is the one word "hi": length does not vary, and the slope beside it says so
    assert slopes.all_turns_beside_length.mean is None
    assert "does not vary" in slopes.all_turns_beside_length.note
    assert results.candidates["system_prompt"].holding.change_point.turn is not None
    assert results.candidates["routed"].holding.change_point.note.startswith("no change point")


def test_pairs_of_survival_and_both_corrections(results):
    pairs = {(row.a, row.b): row for row in results.pairwise_survival}
    assert set(pairs) == {("base", "routed"), ("base", "system_prompt"), ("routed", "system_prompt")}
    assert pairs["routed", "system_prompt"].a_minus_expected < 0
    assert pairs["routed", "system_prompt"].p_holm < 0.05
    for row in results.pairwise_survival:
        assert row.p_paired is None or row.p_paired <= row.p_bh <= row.p_holm
    assert {row.variance.per_persona for row in results.pairwise} == {2}


def test_the_same_reply_again_and_again_is_seen(results):
    found = results.candidates["routed"].holding.repetition
    assert found.same_tactics.mean == 1
    assert found.same_tactics_by_turn[0].turn == 2
    assert found.self_similarity.mean is None  # "hi" has no pair of words
    assert found.template_share.mean is None
    assert found.notes["template_share"] == "no reply has 5 words"
    said = build(study(DECAY, turns=LONG, reply="I hear you, that sounds hard."))
    again = said.candidates["routed"].holding.repetition
    assert again.self_similarity.mean == again.template_share.mean == 1
    assert again.templates == [384, 384]  # two runs of five words in each of 16 x 24 replies


def test_who_left_is_told_apart_from_who_failed_and_who_still_talks():
    talk = curve_episode([0.9] * 5, max_turns=8)
    whole = curve_episode([0.9] * 8, max_turns=8)
    episodes = [ends(talk, "user left: no more"), talk, replace(talk, error="down"), ends(whole, "max turns")]
    episodes.append(ends(talk, "repeated loop"))  # stopped by a rule, not by its user
    assert left_early(episodes).tolist() == [True, False, False, False, False]
    assert words_by_turn(episodes, 8)[0, 4:6].tolist() == pytest.approx([1, math.nan], nan_ok=True)


def test_leaving_moves_the_lower_bound_only():
    spoken = study({"base": 0.9, "routed": 0.9}, turns=8)
    short = [
        ends(replace(one, turns=one.turns[:5]), "user left: no more")
        if one.spec.candidate == "routed" and one.spec.replicate
        else one
        for one in spoken
    ]
    results = build(short)
    jsonschema.validate(written(results), SCHEMA, cls=jsonschema.Draft202012Validator)
    found = results.candidates["routed"].holding.leaving
    assert (found.n, found.left, found.broken) == (16, 8, 0)
    assert found.survival_leaving_as_censoring[-1].share == 1
    assert found.survival_leaving_as_event[-1].share == 0.5
    assert found.incidence_left[-1].share == 0.5
    assert results.candidates["base"].holding.leaving.left == 0
    note = results.candidates["routed"].holding.holds.note
    assert note == "8 of 16 conversations did not reach the last quarter and are left out"


def test_one_turn_and_one_persona_have_reasons_and_no_zeros():
    found = build(study({"base": 0.9}, turns=1, personas=("p0",), seeds=1)).candidates["base"].holding
    assert (found.holds.verdict, found.holds.why) == ("cannot be told", "change: no conversation to be tested")
    assert found.holds.change.mean is None
    assert found.change_point.note == "undefined: 1 turn measured, 4 turns needed"
    assert found.mixed_slope.all_turns.note.startswith("undefined: 1 conversation,")
    assert found.repetition.same_tactics.mean is None
    assert found.leaving.dropped == 1


def test_slopes_beside_length_need_no_names_of_their_own():
    draw = np.random.default_rng(0)
    words = draw.normal(20, 4, (6, 10))
    found = mixed_slopes(0.01 * words, words, list("aabbcc"))
    assert found.all_turns_beside_length.note == "every value lies on one line: no variation to model"
    assert found.all_turns_beside_length.mean == pytest.approx(0, abs=1e-9)


def test_survival_of_four_people_has_no_band_though_one_of_them_broke():
    for people, bounded in ((4, False), (5, True)):
        curves = [[0.9] * 8 if n else [0.9, 0.9, *[0.5] * 6] for n in range(people)]
        (base,) = build([conversation("base", f"p{n}", row) for n, row in enumerate(curves)]).candidates.values()
        assert any(0 < point.share < 1 for point in base.survival)
        for points in (base.survival, base.holding.leaving.survival_leaving_as_event):
            assert any(point.lo is not None for point in points) == bounded
