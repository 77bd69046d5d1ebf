"""A kept reply against the worst that was discarded, for DPO."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.adapters.dialogues.drafts import hold_dialogues
from holdfast.adapters.dialogues.preferences import read_preference_pairs
from holdfast.adapters.dialogues.rejected import kept_against_discarded, pairs_file
from holdfast.adapters.dialogues.writing import Writer, plan_dialogues, write_dialogues
from holdfast.core.errors import ModelError
from tests.adapters.dialogues.test_writing import CONFIG, REPLIES, WORLD
from tests.adapters.standins import ScriptedModel, SorryRater

DPO = CONFIG.model_copy(update={"method": "dpo"})


async def test_each_usable_turn_prefers_what_was_kept() -> None:
    plans = plan_dialogues(CONFIG, WORLD, "warm", 1)
    dialogues = await hold_dialogues(plans, ScriptedModel(REPLIES), SorryRater(), 8)
    pairs = [pair for dialogue in dialogues for pair in kept_against_discarded(dialogue, "sorry 1")]
    assert pairs
    for pair in pairs:
        assert "sorry" in pair.chosen[0].content
        assert "sorry" not in pair.rejected[0].content
        assert pair.margin == pytest.approx(1 / 3, abs=1e-4)
        assert [line.role for line in pair.prompt] == ["user", "assistant"] * (len(pair.prompt) // 2) + ["user"]
        assert all("sorry" in line.content for line in pair.prompt if line.role == "assistant")  # what was kept before
    assert {pair.source for pair in pairs} == {"sorry 1"}


async def test_pairs_are_written_beside_the_dialogues_of_training_people_only(tmp_path: Path) -> None:
    files, _ = await write_dialogues(
        DPO, WORLD, Writer(ScriptedModel(REPLIES)), SorryRater(), out=tmp_path / "dialogues", seed=1
    )
    tested = {person.id for person in WORLD.split.test}
    for file in files.values():
        pairs = read_preference_pairs(pairs_file(file.path))
        assert {pair.persona for pair in pairs} <= set(file.personas)
        assert not tested & {pair.persona for pair in pairs}
    assert {path.name for path in (tmp_path / "dialogues" / "pairs").iterdir()} == {"warm.jsonl", "cool.jsonl"}


async def test_where_nothing_was_discarded_there_is_nothing_to_prefer(tmp_path: Path) -> None:
    model = ScriptedModel(("i am so sorry about {topic} , sorry , no ? .",))
    config = DPO.model_copy(update={"patterns": ("warm",), "min_turns": 1})
    with pytest.raises(
        ModelError, match=r"nothing to prefer by DPO: draw more samples \(now 6\), or write method: sft"
    ):
        await write_dialogues(config, WORLD, Writer(model), SorryRater(), out=tmp_path, seed=1)


async def test_without_dpo_none_are_written(tmp_path: Path) -> None:
    model = ScriptedModel(REPLIES)
    await write_dialogues(CONFIG, WORLD, Writer(model), SorryRater(), out=tmp_path, seed=1)
    assert not (tmp_path / "pairs").exists()
    counts = json.loads((tmp_path / "counts.json").read_text())
    assert sum(part["drawn"]["replies"] for part in counts.values()) == len(model.asked)  # attempts, the retried too
    assert counts["warm"]["drawn"]["replies"] >= counts["warm"]["turns"]["kept"]
