import numpy as np

from holdfast.simulator.measure.goals import (
    goals_known,
    served_in_the_end,
    served_share,
    service_by_goal,
)
from tests.simulator.measure.making import episode

GOALS = {"ana": ["call", "write"], "ben": ["rest"]}
LEVEL = (0.0, 0.0, 0.0)


def talk(turns, served, **settings):
    return episode([LEVEL] * turns, served=served, max_turns=4, **settings)


def test_share_by_turn_by_hand():
    # ana has two goals: one served in turn 2, the other in turn 3, after which she leaves content
    whole = talk(3, [(), ("call",), ("write",)], stop="user left: content")
    share = served_share([whole], GOALS, 4)
    assert share.tolist() == [[0.0, 0.5, 1.0, 1.0]]
    assert served_in_the_end(share, [4]).tolist() == [1.0]


def test_what_failed_or_is_not_over_keeps_nothing():
    failed, open_still = talk(2, [("call",)], error="down"), talk(2, [("call",)])
    share = served_share([failed, open_still], GOALS, 4)
    assert share[:, :2].tolist() == [[0.5, 0.5]] * 2
    assert np.isnan(share[:, 2:]).all()
    assert np.isnan(served_in_the_end(share, [4, 4])).all()


def test_a_shorter_plan_ends_where_it_ends():
    short = episode([LEVEL] * 2, served=[("call",)], max_turns=2, stop="max turns")
    share = served_share([short], GOALS, 4)
    assert share[0, :2].tolist() == [0.5, 0.5]
    assert np.isnan(share[0, 2:]).all()
    assert served_in_the_end(share, [2]).tolist() == [0.5]


def test_goal_by_goal():
    talks = [talk(4, [("call",)], seed=0), talk(4, [(), (), ("call",)], seed=1), talk(4, [], persona="ben")]
    ana_calls, ana_writes, ben_rests = service_by_goal(talks, GOALS)
    assert (ana_calls.persona, ana_calls.goal, ana_calls.episodes, ana_calls.served) == ("ana", "call", 2, 2)
    assert ana_calls.mean_turn == 2  # turns 1 and 3
    assert (ana_writes.served, ben_rests.episodes) == (0, 1)
    assert ana_writes.mean_turn is None


def test_an_old_journal_knows_no_goals():
    assert not goals_known([talk(4, [])])
    assert goals_known([talk(4, [("call",)])])
