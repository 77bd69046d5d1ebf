"""Every field of a shipped persona changes a talk, or the schema says what it is for."""

from __future__ import annotations

import asyncio

import pytest

from holdfast.agents.users.effects.measured import effects_of
from holdfast.personas.checks import languages
from holdfast.personas.loading import library, tasks

SAMPLE = ("jun_park",)


def unexplained(who: str) -> list[tuple[str | int, ...]]:
    effects = asyncio.run(effects_of(library()[who], tasks(), languages()))
    assert len(effects) > 150
    return [effect.path for effect in effects if effect.unexplained]


@pytest.mark.parametrize("who", SAMPLE)
def test_no_field_of_a_sample_is_dead(who: str) -> None:
    assert unexplained(who) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("who", sorted(library()))
def test_no_field_of_the_library_is_dead(who: str) -> None:
    assert unexplained(who) == []
