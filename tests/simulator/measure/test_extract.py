import numpy as np
import pytest

from holdfast.simulator.measure.extract import extract, targets
from tests.simulator.measure.making import episode


def test_arrays_of_each_candidate():
    episodes = [
        episode([(2, 1, 0), (1, 1, 1)], candidate="routed", persona="ben", max_turns=3, felt=4.0),
        episode([(0, 0, 0)], candidate="base", persona="ana", max_turns=4, error="the server went away"),
        episode([], candidate="base", persona="cleo", max_turns=4, error="no answer"),
    ]
    found = extract(episodes, {"ana": 1.0, "ben": 5.0})
    assert list(found) == ["base", "routed"]
    base, routed = found["base"], found["routed"]
    assert base.groups == ("ana", "cleo")  # ordered by id
    assert (base.failed, routed.failed) == (2, 0)
    assert (base.turns, routed.turns) == (4, 4)  # the longest plan of the study
    assert routed.planned.tolist() == [3]
    assert routed.levels[0, :2].tolist() == [[2, 1, 0], [1, 1, 1]]
    assert np.isnan(routed.levels[0, 2:]).all()
    assert routed.felt[0, 1].tolist() == [4.0] * 7
    assert np.isnan(routed.felt[0, 2:]).all()
    assert np.isnan(base.levels[1]).all()  # nothing of cleo's was said
    assert base.desired == pytest.approx([1.0, np.nan], nan_ok=True)
    assert routed.desired.tolist() == [5.0]
    assert routed.user_keys == ("ben/0/3/0",)


def test_an_expectation_that_has_moved_counts():
    moved = episode([(1, 1, 1)], state={"desired": 3.5})
    odd = episode([(1, 1, 1)], state={"desired": None}, persona="ben")
    arrays = extract([moved, odd], {"ana": 5.0, "ben": 1.0})["routed"]
    assert arrays.desired.tolist() == [3.5, 1.0]


def test_the_order_of_episodes_does_not_matter():
    episodes = [episode([(i / 3, 0, 0)], persona=f"p{i}") for i in range(5)]
    one, two = extract(episodes, {})["routed"], extract(episodes[::-1], {})["routed"]
    assert one.episodes == two.episodes
    assert np.array_equal(one.levels, two.levels, equal_nan=True)


def test_each_episode_has_the_target_of_its_task():
    assert targets(["calm", "warm"], {"calm": (0, 0, 0), "warm": (2, 2, 2)}).tolist() == [[[0, 0, 0]], [[2, 2, 2]]]
    with pytest.raises(KeyError, match="cold"):
        targets(["cold"], {"warm": (2, 2, 2)})
