"""A writer of whom nothing is of use stops within a tenth of the drafts, with what was wrong and what would help."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.drafts import hold_dialogues
from holdfast.adapters.dialogues.writing import Writer, plan_dialogues, write_dialogues
from holdfast.adapters.dialogues.yields import LEAST_USABLE_TURNS, SHOWN, first_tenth, is_hopeless
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.raters.gate.rater import GatedRater
from holdfast.core.errors import ModelError
from tests.adapters.dialogues.test_writing import REPLIES, WORLD
from tests.adapters.standins import ScriptedModel, SorryRater

CONFIG = TrainingConfig(dialogues_per_pattern=20, turns=4, samples=2, min_turns=2, max_tokens=12, concurrency=64)


async def test_a_hopeless_model_stops_within_a_tenth_of_the_drafts(base: Path, tmp_path: Path) -> None:
    model, done = LocalChatModel.load(base, dtype="float32"), list[tuple[int, int]]()
    with pytest.raises(ModelError) as raised:
        await write_dialogues(
            CONFIG, WORLD, Writer(model), GatedRater(SorryRater()), out=tmp_path, seed=1,
            progress=lambda stage, now, total: done.append((now, total)),
        )  # fmt: skip
    assert done[-1] == (4 * CONFIG.turns, 40 * CONFIG.turns)  # two dialogues of each pattern
    text = str(raised.value)
    assert "none of 2 dialogues by" in text
    assert "the other 18 are not written" in text
    assert text.count("\n  discarded: “") == SHOWN
    assert "What would help: example exchanges beside the words (examples: true), or more samples (now 2)" in text
    assert "a larger model to write (model: under 'training')" in text
    assert not any(tmp_path.iterdir())


async def test_the_reasons_are_counted_and_model_text_cannot_steer_a_terminal(tmp_path: Path) -> None:
    model = ScriptedModel(("now {topic}\x1b[31m is red.",))
    with pytest.raises(ModelError) as raised:
        await write_dialogues(CONFIG, WORLD, Writer(model), SorryRater(), out=tmp_path, seed=1)
    text = str(raised.value)
    assert text.startswith("pattern warm: none of 2 dialogues by scripted had 2 usable turns (0 usable replies to 8 m")
    assert "22 drawn; low_adherence 8" in text  # twice 2 x 4 for the first message, then one each
    assert "\x1b" not in text
    assert "adherence 0.67" in text
    assert "a lower min_adherence (now 0.7)" in text


async def test_one_usable_reply_is_enough_to_go_on() -> None:
    plans = plan_dialogues(CONFIG, WORLD, "warm", 1)[:2]
    good = await hold_dialogues(plans, ScriptedModel(REPLIES), SorryRater(), 2)
    assert sum(not turn.flaws for dialogue in good for turn in dialogue.turns) >= LEAST_USABLE_TURNS
    assert not is_hopeless(good)
    assert is_hopeless(await hold_dialogues(plans, ScriptedModel(("ok .",)), SorryRater(), 2))


async def test_a_model_that_went_away_is_not_called_hopeless() -> None:
    plans = plan_dialogues(CONFIG, WORLD, "warm", 1)[:2]
    broken = ScriptedModel(REPLIES, broken=lambda request: True)
    assert not is_hopeless(await hold_dialogues(plans, broken, SorryRater(), 2))


def test_a_tenth_is_of_each_pattern_and_at_least_one() -> None:
    plans = {name: plan_dialogues(CONFIG, WORLD, name, 1)[:count] for name, count in (("warm", 11), ("cool", 3))}
    assert [plan.id.split("/")[0] for plan in first_tenth(plans)] == ["warm", "warm", "cool"]
