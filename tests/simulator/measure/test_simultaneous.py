"""Trained against untrained, all pairs at once: the limits hold together, and few people are not tested."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.simulator.measure.simultaneous import compare_at_once, strongest
from tests.simulator.measure.making import rng

PERSONAS = {f"p{persona}/{replicate}": f"p{persona}" for persona in range(12) for replicate in range(2)}


def world(random: np.random.Generator, means: dict[str, float], personas: dict[str, str] = PERSONAS) -> dict:
    """Values of each candidate before each user; what a persona brings is shared by all."""
    own = {persona: random.normal(0, 0.1) for persona in sorted(set(personas.values()))}
    liking = {(name, persona): random.normal(0, 0.05) for name in means for persona in own}
    return {
        name: {
            user: mean + own[persona] + liking[name, persona] + random.normal(0, 0.03)
            for user, persona in personas.items()
        }
        for name, mean in means.items()
    }


MEANS = {"routed": 0.7, "oracle": 0.7, "base": 0.7, "prompt": 0.7, "reminder": 0.7}


def compared(random: np.random.Generator, means: dict[str, float] = MEANS, **settings):
    values = world(random, means, settings.get("personas", PERSONAS))
    return compare_at_once(
        ["routed", "oracle"],
        ["base", "prompt", "reminder"],
        values=values,
        personas=settings.get("personas", PERSONAS),
        rng=random,
        draws=300,
    )


def test_all_limits_hold_together() -> None:
    """Where nothing differs, some pair's limits leave out 0 in about one study of twenty, not in one of four."""
    random, wrong = rng(), 0
    for _ in range(200):
        wrong += any(pair.difference.excludes_zero for pair in compared(random))
    assert wrong / 200 <= 0.09


def test_a_difference_is_found_and_signed() -> None:
    pairs = compared(rng(), MEANS | {"base": 0.5})
    found = strongest(pairs, "routed", "base")
    assert found is not None
    assert found.difference.mean == pytest.approx(0.2, abs=0.05)
    assert found.difference.lo > 0.1
    assert found.p < 0.01
    assert not strongest(pairs, "routed", "prompt").difference.excludes_zero
    assert strongest(pairs, "base", "routed") is None


def test_limits_are_wider_than_those_of_one_pair() -> None:
    random = rng()
    values = world(random, MEANS)
    settings = {"values": values, "personas": PERSONAS, "draws": 2000}
    (one,) = compare_at_once(["routed"], ["base"], rng=rng(), **settings)
    many = compare_at_once(["routed", "oracle"], ["base", "prompt", "reminder"], rng=rng(), **settings)
    width = [pair.difference.hi - pair.difference.lo for pair in (one, strongest(many, "routed", "base"))]
    assert 1.1 < width[1] / width[0] < 1.8


def test_the_smallest_difference_is_found_in_four_studies_of_five() -> None:
    random = rng()
    design = np.median([compared(random)[0].smallest for _ in range(30)])
    found = 0
    for _ in range(200):
        values = world(random, MEANS | {"routed": 0.7 + design})
        (pair,) = compare_at_once(["routed"], ["base"], values=values, personas=PERSONAS, rng=random, draws=300)
        found += pair.difference.lo > 0
    assert 0.68 <= found / 200 <= 0.9


def test_fewer_than_five_people_are_not_tested() -> None:
    four = {user: persona for user, persona in PERSONAS.items() if persona in ("p0", "p1", "p2", "p3")}
    for pair in compared(rng(), MEANS | {"base": 0.1}, personas=four):
        assert (pair.personas, pair.difference.lo, pair.p, pair.smallest) == (4, None, None, None)
        assert pair.difference.mean is not None


def test_users_that_one_never_met_are_left_out() -> None:
    values = {"a": {"p0/0": 1.0, "p1/0": 1.0}, "b": {"p0/0": 0.5, "p2/0": 0.1, "p1/0": float("nan")}}
    personas = {"p0/0": "p0", "p1/0": "p1", "p2/0": "p2"}
    (pair,) = compare_at_once(["a"], ["b"], values=values, personas=personas, rng=rng())
    assert (pair.difference.mean, pair.personas) == (0.5, 1)


def test_nothing_to_compare() -> None:
    assert compare_at_once([], ["b"], values={"b": {}}, personas={}, rng=rng()) == []
