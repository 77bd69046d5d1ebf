"""The conversations that fall most, worked out beside it, whatever the batches and whoever keeps texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS
from holdfast.simulator.logs.sources import open_sources

KIND, DRY, SILENT = "I'm sorry.", "Make lists.", "你好 我很难过"  # too short for copies


def talk(name: str, replies: list[str], model: str = "a") -> Conversation:
    said = [m for reply in replies for m in (LogMessage("user", "It is hard."), LogMessage("assistant", reply))]
    return Conversation(name, "", tuple(said), name, {"model": model})


def write(path: Path, talks: list[Conversation]) -> Path:
    writer = FORMATS["messages"].writer
    assert writer is not None
    writer.write(talks, path)
    return path


def test_by_hand(tmp_path: Path) -> None:
    """One falls at its end, one is too short, one rises, and the line of one begins after its unrated first turn."""
    replies = {
        "falls": [KIND, KIND, DRY, DRY],
        "short": [KIND, DRY],
        "rises": [DRY, KIND, KIND],
        "late": [SILENT, KIND, KIND, DRY, SILENT],
    }
    log = write(tmp_path / "log.jsonl", [talk(name, said) for name, said in replies.items()])
    results, _ = measure_files(open_sources([log]), by=["model"])
    kind, dry = LinearRater().model.levels([KIND, DRY]).mean(axis=1)
    falls, late = results.falls
    assert [falls.conversation, late.conversation] == ["falls", "late"]
    slope = stats.linregress([1, 2, 3, 4], [kind, kind, dry, dry]).slope
    assert (falls.slope, falls.fall) == pytest.approx((slope, 3 * slope))
    slope = stats.linregress([2, 3, 4], [kind, kind, dry]).slope
    assert (late.slope, late.fall) == pytest.approx((slope, 2 * slope))
    assert (falls.turns, falls.rated, late.turns, late.rated) == (4, 4, 5, 3)
    assert (falls.group, late.place) == ("a", f"{log}:4")


def test_the_ten_deepest_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(2)
    replies = [[KIND if draw.random() < 0.5 else DRY for _ in range(draw.integers(3, 9))] for _ in range(60)]
    talks = [talk(f"c{n:02d}", said, model="ab"[n % 2]) for n, said in enumerate(replies)]
    log = write(tmp_path / "log.jsonl", talks)
    kind, dry = LinearRater().model.levels([KIND, DRY]).mean(axis=1)
    expected = []
    for n, said in enumerate(replies):
        slope = stats.linregress(np.arange(len(said)), [kind if reply == KIND else dry for reply in said]).slope
        expected.append((round(slope * (len(said) - 1), 9), f"c{n:02d}"))
    whole = measure_files(open_sources([log]), workers=1)[0].falls
    assert [each.conversation for each in whole] == [name for _, name in sorted(expected)[:10]]
    monkeypatch.setattr("holdfast.simulator.logs.measuring.BATCH_TURNS", 7)
    parts = measure_files(open_sources([log]), workers=1)[0].falls
    assert [(each.conversation, each.turns, each.rated) for each in parts] == [
        (each.conversation, each.turns, each.rated) for each in whole
    ]


def test_texts_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", [talk("c", [KIND, DRY, DRY])])
    without, texts = (measure_files(open_sources([log]), keep=keep)[1].falls["expressed"] for keep in (0, 1))
    assert without[0].talk is None
    assert texts[0].talk is not None
    assert texts[0].talk.turns.turns[0].reply == KIND


def test_with_a_pattern_adherence_ranks(tmp_path: Path) -> None:
    """Against a pattern that asks for little, the conversation that warms up is the one that falls."""
    log = write(tmp_path / "log.jsonl", [talk("cools", [KIND, DRY, DRY]), talk("warms", [DRY, KIND, KIND])])
    plain, _ = measure_files(open_sources([log]))
    technical, _ = measure_files(open_sources([log]), pattern="solver")
    assert [each.conversation for each in plain.falls] == ["cools"]
    assert json.loads(technical.model_dump_json())["falls"][0]["conversation"] == "warms"
