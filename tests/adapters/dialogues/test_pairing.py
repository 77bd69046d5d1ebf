"""Preferences from simulated people: the adherent reply is chosen, by a rater; both sides of the split have pairs."""

from __future__ import annotations

import pytest

from holdfast.adapters.config import RewardTraining
from holdfast.adapters.dialogues.pairing import PairSource, collect_pairs
from holdfast.adapters.dialogues.preferences import PreferencePair
from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.raters.gate.rater import GatedRater
from holdfast.core.errors import ModelError
from tests.adapters.dialogues.test_writing import REPLIES, WORLD
from tests.adapters.standins import ScriptedModel, SorryRater

CONFIG = RewardTraining(dialogues_per_persona=2, turns=4, samples=3, min_margin=0.2)


async def pairs(model: ScriptedModel, seed: int = 1, **settings: object) -> list[PreferencePair]:
    return await collect_pairs(PairSource(WORLD, model, SorryRater(), CONFIG.model_copy(update=settings)), seed)


async def test_who_wants_warmth_prefers_sorry_and_who_does_not_the_other() -> None:
    found = await pairs(ScriptedModel(REPLIES))
    assert {one.persona for one in found} == {person.id for person in (*WORLD.split.train, *WORLD.split.test)}
    for one in found:
        warm = one.task == "alpha"
        assert ("sorry" in one.chosen[0].content) == warm
        assert ("sorry" in one.rejected[0].content) == (not warm)
        assert one.margin == pytest.approx(1 / 3, abs=1e-4)  # one of three mechanisms, 0 against 2
        assert [line.role for line in one.prompt] == ["user", "assistant"] * (len(one.prompt) // 2) + ["user"]
    assert found[0].source == "adherence by sorry 1"


async def test_replies_are_drawn_with_and_without_the_prompt_and_the_prompt_is_taken_away() -> None:
    model = ScriptedModel(REPLIES)
    found = await pairs(model)
    prompts = {pattern_prompt(pattern) for pattern in WORLD.patterns.values()}
    steered = [request for request in model.asked if request.messages[-2:][0].content in prompts]
    assert len(steered) * 2 == len(model.asked)
    assert not any(line.role == "system" for one in found for line in one.prompt)
    keys = {request.key for request in model.asked}
    assert len(keys) == 6 * 2 * 2 * 3  # one per person, dialogue, kind and sample: kept from turn to turn


async def test_the_same_seed_gives_the_same_pairs_whatever_runs_at_once() -> None:
    one, again, other = [
        await pairs(ScriptedModel(REPLIES), seed, concurrency=n) for seed, n in ((1, 1), (1, 9), (2, 9))
    ]
    assert one == again != other


async def test_pairs_that_are_too_close_are_left_out_and_a_failing_model_is_told() -> None:
    assert await pairs(ScriptedModel(("ok .",))) == []
    with pytest.raises(ModelError, match="went away"):
        await pairs(ScriptedModel(REPLIES, broken=lambda request: True))


async def test_silence_is_in_no_pair_and_in_no_history() -> None:
    model = ScriptedModel(("i am so sorry about {topic} .", "", "ok ."))
    pairs_made = await pairs(model)
    assert pairs_made
    lines = [line for pair in pairs_made for line in (*pair.prompt, *pair.chosen, *pair.rejected)]
    assert all(line.content.strip() for line in lines)
    assert all(message.content.strip() for request in model.asked for message in request.messages)


async def test_a_disqualified_reply_is_never_chosen() -> None:
    """Alone the rater takes the insult for warmth."""
    replies = ("i am so sorry that you are such a loser .", "i see . what is it about {topic} ?")
    model, source = ScriptedModel(replies), PairSource(WORLD, ScriptedModel(replies), SorryRater(), CONFIG)
    assert any("loser" in pair.chosen[0].content for pair in await collect_pairs(source, 1))
    gated = await collect_pairs(PairSource(WORLD, model, GatedRater(SorryRater()), CONFIG), 1)
    assert gated
    assert not any("loser" in pair.chosen[0].content for pair in gated)
    assert all("loser" in pair.rejected[0].content for pair in gated)
