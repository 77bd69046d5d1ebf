import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.simulator.measure.decay.change_point import best_split, change_point
from tests.simulator.measure.making import rng

NAN = float("nan")


def steps(at, fall, seed=0, personas=12, turns=16, noise=0.05):
    draw = rng(seed)
    level = draw.normal(0.9, 0.1, personas)[:, None]
    return level - fall * (np.arange(1, turns + 1) >= at) + draw.normal(0, noise, (personas, turns))


NAMES = [f"p{i}" for i in range(12)]


def test_best_split_by_hand():
    # 1 1 1 0 0 0: split after 3, 3 * 3 / 6 * 1^2 = 1.5. With weight 2 on the last two: 2, 1+2+2 = 5; 3 * 5 / 8 = 1.875
    gain, place = best_split(np.array([[1.0, 1, 1, 0, 0, 0]] * 2), np.array([[1.0] * 6, [1, 1, 1, 1, 2, 2]]))
    assert gain == pytest.approx([1.5, 1.875])
    assert place.tolist() == [3, 3]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 12))
def test_best_split_saves_what_two_means_save(seed, turns):
    draw = rng(seed)
    curve, weight = draw.normal(size=turns), draw.integers(1, 5, turns).astype(float)

    def rest(part):
        return (weight[part] * (curve[part] - np.average(curve[part], weights=weight[part])) ** 2).sum()

    whole = rest(slice(None))
    savings = {k: whole - rest(slice(None, k)) - rest(slice(k, None)) for k in range(2, turns - 1)}
    gain, place = best_split(curve[None], weight[None])
    assert gain[0] == pytest.approx(max(savings.values()))
    assert savings[int(place[0])] == pytest.approx(gain[0])


def test_a_clear_step_is_found_with_its_levels():
    found = change_point(steps(7, 0.3), NAMES, rng())
    assert found.turn == 7
    assert found.lo <= 7 <= found.hi
    assert found.before - found.after == pytest.approx(0.3, abs=0.05)
    assert found.p < 0.01
    assert found.note == ""


def test_a_level_curve_has_none_and_says_so():
    found = change_point(steps(7, 0.0), NAMES, rng())
    assert (found.turn, found.lo, found.before) == (None, None, None)
    assert found.note == f"no change point: a level curve is not refused (p = {found.p:.2f})"


def test_who_stays_makes_no_step():
    # two kinds of conversation, each level; the poor ones end at turn 8, so the plain mean jumps there
    values = np.concatenate([np.full((6, 16), 0.9), np.full((6, 16), 0.5)]) + rng(1).normal(0, 0.02, (12, 16))
    values[6:, 8:] = np.nan
    assert change_point(values, NAMES, rng()).turn is None


@pytest.mark.parametrize(
    ("values", "groups", "note"),
    [
        (np.full((4, 3), 0.5), "abcd", "undefined: 3 turns measured, 4 turns needed"),
        (np.full((4, 9), 0.5), "aaaa", "undefined: 1 persona measured, 5 personas needed"),
        (np.full((4, 9), 0.5), "abcd", "undefined: 4 personas measured, 5 personas needed"),
        (np.full((2, 9), NAN), "ab", "undefined: 0 turns measured, 4 turns needed"),
    ],
)
def test_too_little_says_why(values, groups, note):
    assert change_point(values, list(groups), rng()).note == note


def test_same_seed_same_answer():
    assert change_point(steps(5, 0.1), NAMES, rng(3)) == change_point(steps(5, 0.1), NAMES, rng(3))
