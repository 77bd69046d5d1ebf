"""A drafted dialogue is on disk when it is finished; a second training goes on from there to the same bytes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from holdfast.adapters.dialogues.drafts import DRAFTS, Drafts, hold_dialogues
from holdfast.adapters.dialogues.writing import Writer, plan_dialogues, write_dialogues
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import JournalError
from tests.adapters.dialogues.test_writing import CONFIG, REPLIES, WORLD
from tests.adapters.standins import ScriptedModel, SorryRater

INPUTS = {"seed": "1", "base": "abc"}


class Stopped(BaseException):
    """As Ctrl-C or SIGKILL would: no error that drafting may catch."""


class StopsLater(ScriptedModel):
    """Goes down at the request number ``at``."""

    at = 0

    async def generate(self, request: GenerationRequest) -> Generation:
        if len(self.asked) >= self.at:
            raise Stopped
        await asyncio.sleep(0)
        return await super().generate(request)


def drafted_replies(file: Path) -> list[int]:
    """How many replies were drawn for each dialogue in a file."""
    drafts = [json.loads(line) for line in file.read_text().splitlines()[1:]]
    return [sum(len(turn["replies"]) for turn in draft["turns"]) for draft in drafts]


async def write(out: Path, model: ScriptedModel) -> dict[str, bytes]:
    drafts = Drafts(out / DRAFTS, INPUTS)
    config = CONFIG.model_copy(update={"concurrency": 2})
    await write_dialogues(config, WORLD, Writer(model), SorryRater(), out=out / "d", seed=1, drafts=drafts)
    return {file.name: file.read_bytes() for file in sorted((out / "d").iterdir())}


@pytest.mark.parametrize("at", [100, 160, 250])
async def test_a_stopped_training_goes_on_from_its_drafts_to_the_same_bytes(at: int, tmp_path: Path) -> None:
    whole = ScriptedModel(REPLIES)
    expected = await write(tmp_path / "whole", whole)
    stopping = StopsLater(REPLIES)
    stopping.at = at
    with pytest.raises((Stopped, BaseExceptionGroup)):
        await write(tmp_path / "stopped", stopping)
    kept = drafted_replies(tmp_path / "stopped" / DRAFTS)
    assert 0 < len(kept) < 12
    again = ScriptedModel(REPLIES)
    assert await write(tmp_path / "stopped", again) == expected
    assert len(again.asked) == len(whole.asked) - sum(kept)


async def test_half_a_line_is_cut_off_and_its_dialogue_drafted_again(tmp_path: Path) -> None:
    expected = await write(tmp_path, ScriptedModel(REPLIES))
    file = tmp_path / DRAFTS
    file.write_bytes(file.read_bytes()[:-40])
    again = ScriptedModel(REPLIES)
    assert await write(tmp_path, again) == expected
    assert len(again.asked) == drafted_replies(file)[-1]  # of the last dialogue alone
    assert len(file.read_text().splitlines()) == 13
    assert all(json.loads(line) for line in file.read_text().splitlines())


async def test_what_is_read_back_is_what_was_kept(tmp_path: Path) -> None:
    plans = plan_dialogues(CONFIG, WORLD, "warm", 1)
    dialogues = await hold_dialogues(
        plans, ScriptedModel(REPLIES), SorryRater(), 8, drafts=Drafts(tmp_path / "d.jsonl", INPUTS)
    )
    read = Drafts(tmp_path / "d.jsonl", INPUTS)
    assert [read.get(plan) for plan in plans] == dialogues
    assert read.get(plan_dialogues(CONFIG, WORLD, "warm", 2)[0]) is None  # of another seed


async def test_a_dialogue_that_failed_is_held_again(tmp_path: Path) -> None:
    plans, drafts = plan_dialogues(CONFIG, WORLD, "warm", 1)[:2], Drafts(tmp_path / "d.jsonl", INPUTS)
    broken = ScriptedModel(REPLIES, broken=lambda request: plans[0].id in request.key)
    failed, good = await hold_dialogues(plans, broken, SorryRater(), 8, drafts=drafts)
    assert failed.error
    assert (drafts.get(plans[0]), drafts.get(plans[1])) == (None, good)


async def test_progress_counts_turns_those_kept_and_those_lost_to_a_failure_too(tmp_path: Path) -> None:
    plans, drafts = plan_dialogues(CONFIG, WORLD, "warm", 1)[:3], Drafts(tmp_path / "d.jsonl", INPUTS)
    turns = CONFIG.turns
    await hold_dialogues(plans[:1], ScriptedModel(REPLIES), SorryRater(), 1, drafts=drafts)
    broken = ScriptedModel(REPLIES, broken=lambda request: plans[1].id in request.key)
    seen = list[tuple[int, int]]()
    await hold_dialogues(plans, broken, SorryRater(), 1, lambda *step: seen.append(step), drafts)
    dones = [0, turns, 2 * turns, *range(2 * turns + 1, 3 * turns + 1)]  # kept, failed, turn by turn
    assert seen == [(done, 3 * turns) for done in dones]


def test_drafts_of_another_study_are_refused_with_what_differs(tmp_path: Path) -> None:
    Drafts(tmp_path / "d.jsonl", INPUTS)
    with pytest.raises(
        JournalError, match=r"its 0 dialogues follow from something else: base changed\. Change it back"
    ):
        Drafts(tmp_path / "d.jsonl", INPUTS | {"base": "xyz"})


@pytest.mark.parametrize("text", ["hello\n", '{"drafts": 2, "inputs": {}}\n', '{"drafts":1,"inputs":{}}\n{"id": 3}\n'])
def test_a_file_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text(text)
    with pytest.raises(JournalError, match="not the drafts that holdfast wrote"):
        Drafts(tmp_path / "d.jsonl", {})
