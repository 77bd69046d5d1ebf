"""The examples of the shipped patterns show their pattern, to the raters that train and judge, and pass the gate."""

from __future__ import annotations

import pytest

from holdfast.adapters.micro import base_path
from holdfast.agents.protocols import Message
from holdfast.agents.raters.adherence import adherence_of
from holdfast.agents.raters.protocol import EXPRESSED, Passage
from holdfast.agents.raters.registry import RaterResources, build
from holdfast.agents.raters.specs import FittedSpec
from holdfast.personas.loading import patterns


@pytest.mark.parametrize("kind", ["linear", "linear_peers"])
@pytest.mark.parametrize("name", sorted(patterns()))
async def test_each_example_shows_its_pattern(name: str, kind: str) -> None:
    pattern = patterns()[name]
    (rater,) = build([FittedSpec(kind=kind)], RaterResources({}, base_path())).values()
    talks = [(Message("user", each.user), Message("assistant", each.reply)) for each in pattern.examples]
    ratings = await rater.rate(list(map(Passage, talks)))
    assert [rating.disqualified for rating in ratings] == [None] * len(talks)
    near = adherence_of(ratings, pattern.target.as_array(), EXPRESSED)
    assert near.min() >= 0.7
    others = [each for each in patterns().values() if each.target != pattern.target]
    assert all(adherence_of(ratings, each.target.as_array(), EXPRESSED).mean() < near.mean() for each in others)
