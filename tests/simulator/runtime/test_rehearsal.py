"""What a study will take: exact counts, and tokens that grow with the history."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from holdfast import Study
from holdfast.core.errors import ModelError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.runtime.rehearsal import CandidateForecast, _with_tokens
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running
from tests.simulator.measure.making import episode

PEOPLE = {"personas": {"ids": ["jun_park", "priya_raman"]}, "candidates": ["base", "system_prompt"], "replicates": 3}


def test_counts_are_those_of_the_plan() -> None:
    result = Study.of(**PEOPLE, lengths=[4, 6]).plan(rehearse=False)
    assert (result.conversations, result.turns) == (2 * 2 * 3 * 2, 2 * 2 * 3 * 10)
    assert [(each.name, each.conversations, each.turns) for each in result.candidates] == [
        ("base", 12, 60), ("system_prompt", 12, 60),
    ]  # fmt: skip
    assert (result.hours, result.cost_usd, result.candidates[0].prompt_tokens) == (None, None, None)


def test_prompt_tokens_follow_a_line_over_the_turns() -> None:
    """Prompts of 10, 30 and 50 tokens: turn t has 20 t - 10, so 6 turns have 20 * 21 - 60 = 360; replies of 5 each."""
    held = episode([(1.0, 1.0, 1.0)] * 3, candidate="base")
    tokens = [(10, 5), (30, 5), (50, 5)]
    turns = tuple(replace(turn, tokens=counts) for turn, counts in zip(held.turns, tokens, strict=True))
    seen = replace(held, turns=turns)
    wanted = CandidateForecast("base", 1, 6, prompt_tokens=360, completion_tokens=30)
    assert _with_tokens(CandidateForecast("base", 1, 6), [6], [seen]) == wanted


def test_a_rehearsal_over_an_endpoint_says_time_and_money(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(ScriptedServer()) as server:
        prices = {"prompt": 1.0, "completion": 2.0}
        model = {"ref": "openai:scripted", "base_url": server.base_url, "prices": prices}
        study = tmp_path / "study.yaml"
        study.write_text(yaml.safe_dump({**PEOPLE, "model": model, "turns": 20}), encoding="utf-8")
        assert run_command(["plan", str(study), "--json"]) == 0
        result = json.loads(capsys.readouterr().out)
        assert run_command(["plan", str(study)]) == 0
    base = result["candidates"][0]
    assert (base["conversations"], base["turns"]) == (6, 120)
    assert base["prompt_tokens"] > 20 * base["completion_tokens"] / 4  # the history is sent again at every turn
    tokens = [sum(each[f"{kind}_tokens"] for each in result["candidates"]) for kind in ("prompt", "completion")]
    assert result["cost_usd"] == pytest.approx((tokens[0] + 2 * tokens[1]) / 1e6, rel=0.01)
    assert result["hours"] > 0
    assert "rehearsed: 16 turns in 4 conversations" in capsys.readouterr().out


def test_a_rehearsal_in_which_all_fails_says_why() -> None:
    with running(ScriptedServer(models=("another",))) as server:
        model = {"ref": "openai:scripted", "base_url": server.base_url, "retries": 0}
        with pytest.raises(ModelError, match=r"the rehearsal has failed: .* does not know the model .scripted"):
            Study.of(**PEOPLE, model=model, turns=20).plan()
