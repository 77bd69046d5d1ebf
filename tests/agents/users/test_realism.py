"""How the people of the library behave in bulk, against what was measured in real and simulated conversations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from holdfast.agents.users.intention import has_feeling
from holdfast.personas.loading import library

SAGE_AUTOCORRELATION = 0.59  # lag 1, of 15,369 emotion changes
TURNS = 30
SEEDS = range(4)


@pytest.fixture(scope="module")
def crowd(converse) -> dict[str, list[list]]:
    """Every person of the library, with four seeds, against each policy."""
    policies = ("fitting", "middling", "careless", "erratic")
    return {
        policy: [converse(persona, policy, seed=seed, turns=TURNS) for persona in library().values() for seed in SEEDS]
        for policy in policies
    }


def changes(conversation: Sequence) -> np.ndarray:
    """Emotion changes of one conversation, shape (turns,)."""
    return np.diff([40.0, *(turn.felt.state.emotion for turn in conversation)])


def trend(feels: np.ndarray) -> float:
    """z of the mean least-squares slope over turns; ``feels``: booleans, shape (conversations, turns)."""
    turns = feels.shape[1]
    slopes = feels @ (np.arange(turns) - (turns - 1) / 2) / ((turns**3 - turns) / 12)
    return float(slopes.mean() / (slopes.std(ddof=1) / np.sqrt(len(slopes))))


def final(conversations: Sequence[Sequence]) -> float:
    return float(np.mean([conversation[-1].felt.state.emotion for conversation in conversations]))


def test_emotion_is_about_as_sticky_as_sages_and_seldom_still(crowd) -> None:
    for policy in crowd:
        moves = [changes(conversation) for conversation in crowd[policy]]
        before, after = np.array([pair for move in moves for pair in pairwise(move)]).T
        everything = np.concatenate(moves)
        assert np.corrcoef(before, after)[0, 1] == pytest.approx(SAGE_AUTOCORRELATION, abs=0.17), policy
        assert 3.0 < everything.std() < 8.0, policy  # SAGE: 6.6 in the part that we have
        assert np.mean(everything == 0.0) < 0.08, policy
    erratic = np.concatenate([changes(conversation) for conversation in crowd["erratic"]])
    assert np.mean(erratic == 0.0) < 0.01  # SAGE: .004


def test_people_end_higher_with_who_answers_as_they_want(crowd) -> None:
    assert final(crowd["fitting"]) > final(crowd["erratic"]) + 15
    assert final(crowd["erratic"]) > final(crowd["careless"]) + 10
    assert final(crowd["fitting"]) > final(crowd["middling"])
    assert final(crowd["fitting"]) > 60
    assert final(crowd["careless"]) < 30


def test_the_gap_is_small_where_replies_follow_the_pattern(crowd) -> None:
    gaps: dict[float, list[float]] = {1.0: [], 3.0: [], 5.0: []}
    for conversation in crowd["fitting"]:
        state = conversation[-1].felt.state
        gaps[state.desired].append(state.desired - state.felt_mean)
    assert all(len(values) >= 20 for values in gaps.values())
    assert {desired: abs(np.mean(values)) < 0.9 for desired, values in gaps.items()} == dict.fromkeys(gaps, True)
    careless = [conversation[-1].felt.state for conversation in crowd["careless"]]
    assert np.mean([state.desired - state.felt_mean for state in careless if state.desired == 5.0]) > 3.5


@pytest.mark.parametrize("policy", ["fitting", "careless", "erratic"])
def test_feelings_and_questions_are_mixed_alike_at_every_turn(policy: str, crowd) -> None:
    """No trend over turns for a decay to hide in: 144 conversations a turn, so one turn's share has sd .04."""
    feels = np.array([[has_feeling(turn.spoken.said) for turn in conversation] for conversation in crowd[policy]])
    share = feels.mean(axis=0)
    assert 0.44 < feels.mean() < 0.56
    assert share.min() > 0.3
    assert share.max() < 0.7
    assert abs(trend(feels)) < 3
    assert abs(feels[:, :10].mean() - feels[:, -10:].mean()) < 0.06
    each = feels.mean(axis=1)
    assert each.min() > 0.13  # half and half in every conversation, give or take four sd of .09
    assert each.max() < 0.87


def test_a_planted_fade_of_feelings_would_be_seen() -> None:
    rng = np.random.default_rng(0)
    assert trend(rng.random((96, TURNS)) < np.linspace(0.62, 0.38, TURNS)) < -3


def test_questions_keep_their_forms_after_every_goal_is_met(crowd) -> None:
    def without_need(turns: slice) -> float:
        asked = [
            turn.spoken.said for talk in crowd["fitting"] for turn in talk[turns] if turn.spoken.said.kind == "ask"
        ]
        assert len(asked) > 250
        return float(np.mean([said.need is None for said in asked]))

    assert without_need(slice(0, 10)) == pytest.approx(without_need(slice(20, 30)), abs=0.08)


def test_replies_do_not_move_the_mix(crowd) -> None:
    """Thanks, which good replies earn and which hold no cue, are left aside."""
    said = [[turn.spoken.said for turns in conversations for turn in turns] for conversations in crowd.values()]
    shares = [np.mean([has_feeling(one) for one in all_said if one.kind != "thank"]) for all_said in said]
    assert max(shares) - min(shares) < 0.04


def test_the_ignored_repeat_themselves_more_and_the_served_give_thanks(crowd) -> None:
    def share(policy: str, kind: str) -> float:
        return float(np.mean([turn.spoken.said.kind == kind for turns in crowd[policy] for turn in turns]))

    assert share("careless", "repeat") > 3 * share("fitting", "repeat")
    assert share("careless", "thank") == 0.0
    assert 0.02 < share("fitting", "thank") < 0.15


def test_served_goals_get_done_and_ignored_ones_do_not(crowd) -> None:
    assert all(conversation[-1].felt.state.goals_left for conversation in crowd["careless"])
    done = [not conversation[-1].felt.state.goals_left for conversation in crowd["fitting"]]
    assert np.mean(done) > 0.8


def test_the_same_seed_is_the_same_conversation(converse) -> None:
    persona = next(iter(library().values()))
    first, second = (converse(persona, "erratic", seed=11, turns=20) for _ in range(2))
    assert [turn.spoken for turn in first[1:]] == [turn.spoken for turn in second[1:]]
    assert [turn.felt for turn in first] == [turn.felt for turn in second]
    assert first != converse(persona, "erratic", seed=12, turns=20)


def test_nobody_runs_dry_in_two_hundred_turns(converse) -> None:
    for persona in library().values():
        turns = converse(persona, "erratic", seed=1, turns=200)
        late = [turn.spoken for turn in turns[150:]]
        assert len({spoken.text for spoken in late}) >= 30, persona.id
        assert all((one.said == two.said) <= (two.said.kind == "repeat") for one, two in pairwise(late)), persona.id
