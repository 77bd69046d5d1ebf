"""Differences between the groups of a log, against the arrays that the log was written from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.logs import differences, sums
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.model import LogResults
from holdfast.simulator.logs.records import Conversation, LogMessage
from holdfast.simulator.logs.registry import FORMATS
from holdfast.simulator.logs.sources import open_sources
from holdfast.simulator.measure.bootstrap import all_alike
from holdfast.simulator.measure.pairwise import holm
from tests.simulator.logs.test_measure import mean_centred_slope

KIND, DRY = "I'm sorry.", "Make lists."  # too short for copies
Measure = Callable[[list[Conversation]], LogResults]


def talk(number: int, model: str, speaker: str, kind: list[bool]) -> Conversation:
    replies = [LogMessage("assistant", KIND if each else DRY) for each in kind]
    said = [message for reply in replies for message in (LogMessage("user", "It is hard."), reply)]
    return Conversation(f"c{number}", "", tuple(said), speaker, {"model": model})


def talks(people_of: dict[str, int], prefix: str = "") -> list[Conversation]:
    """Two conversations a person; model a is kind in its first turns, more or less, the others at random."""
    draw = np.random.default_rng(1)
    made: list[Conversation] = []
    for model, people in people_of.items():
        for person in range(2 * people):
            turns = int(draw.integers(4, 9))
            kind = [bool(draw.random() < (0.9 - 0.1 * turn if model == "a" else 0.3)) for turn in range(turns)]
            speaker = f"{prefix or model}{person % people}"
            made.append(talk(len(made), model, speaker, kind))
    return made


@pytest.fixture
def measured(tmp_path: Path) -> Measure:
    def run(made: list[Conversation]) -> LogResults:
        writer = FORMATS["messages"].writer
        assert writer is not None
        writer.write(made, tmp_path / "log.jsonl")
        return measure_files(open_sources([tmp_path / "log.jsonl"]), by=["model"], seed=3)[0]

    return run


def table_of(made: list[Conversation], model: str) -> np.ndarray:
    rater, rows = LinearRater().model, [one for one in made if one.columns["model"] == model]
    values = np.full((len(rows), 9), np.nan)
    for row, each in enumerate(rows):
        replies = [message.text for message in each.messages if message.role == "assistant"]
        values[row, : len(replies)] = rater.levels(replies).mean(axis=1)
    return values


def test_level_and_slope_of_other_people(measured: Measure) -> None:
    made = talks({"a": 12, "b": 9})
    level, slope = measured(made).differences
    a, b = (table_of(made, model) for model in "ab")
    assert level.mean == pytest.approx(np.nanmean(a, axis=1).mean() - np.nanmean(b, axis=1).mean())
    assert slope.mean == pytest.approx(mean_centred_slope(a) - mean_centred_slope(b))
    for row in (level, slope):
        assert (row.a, row.b, row.measure, row.design) == ("a", "b", "expressed", "unpaired")
        assert (row.people_a, row.people_b, row.people_both, row.note) == (12, 9, 0, "")
        assert row.lo is not None
        assert row.lo < (row.mean or 0) < (row.hi or 0)
    assert (level.p_holm or 1) < 0.05
    assert [level.p_holm, slope.p_holm] == pytest.approx(holm([level.p or 0, slope.p or 0]).tolist())


def test_the_same_people_are_their_own_control(measured: Measure) -> None:
    level = measured(talks({"a": 10, "b": 10}, prefix="p")).differences[0]
    assert (level.people_both, level.design) == (10, "paired")


def test_conversations_without_a_speaker_are_nobody_twice(measured: Measure) -> None:
    made = [talk(n, "ab"[n % 2], "", [n % 3 == 0, n % 5 == 0, True]) for n in range(20)]
    level = measured(made).differences[0]
    assert (level.people_a, level.people_b, level.people_both) == (10, 10, 0)


def test_sets_of_speakers_are_nobody_twice(measured: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "MOST_CLUSTERS", 8)
    level = measured(talks({"a": 10, "b": 10}, prefix="p")).differences[0]
    assert (level.people_a, level.people_b, level.people_both, level.design) == (8, 8, 0, "unpaired")


def test_two_people_cannot_be_tested(measured: Measure, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = measured(talks({"a": 12, "b": 2}))
    for row in results.differences:
        assert (row.lo, row.hi, row.p, row.p_holm) == (None, None, None, None)
        assert row.note == "2 people: cannot be tested"
    assert "no intervals for 1 of 2 groups: they resample speakers, and need 5" in results.notes
    few, many = (results.groups[name].measures["expressed"] for name in "ba")
    for each in ("mean", "retention", "slope_per_turn", "slope_given_length", "length_r"):
        assert (getattr(few, each).lo, getattr(few, each).hi) == (None, None)
        assert getattr(few, each).mean is not None
        assert getattr(many, each).lo is not None or getattr(many, each).reason == all_alike(12)
    assert {point.hi for point in few.by_turn} == {None}
    log, out = tmp_path / "log.jsonl", tmp_path / "out"
    assert run_command(["measure", str(log), "--by", "model", "--out", str(out)]) == 0
    screen = capsys.readouterr().out
    assert re.search(r"\na minus b +12, 2 +\+0\.\d\d +2 people: cannot be tested +-0\.\d\d +2 people: cannot", screen)
    assert "Holm over 0 tests" in screen
    assert "2 people: cannot be tested" in (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "results.json").read_text())["differences"][0]["p"] is None


def test_screen_and_page_show_every_pair(measured: Measure, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = measured(talks({"a": 12, "b": 8, "<i>c": 8}))
    assert len(results.differences) == 6
    out = tmp_path / "out"
    command = ["measure", str(tmp_path / "log.jsonl"), "--by", "model", "--out", str(out), "--seed", "3"]
    assert run_command(command) == 0
    screen = capsys.readouterr().out
    level = next(row for row in results.differences if (row.a, row.b, row.figure) == ("a", "b", "level"))
    assert f"{level.mean:+.2f} [{level.lo:.2f}, {level.hi:.2f}]" in screen
    page = (out / "report.html").read_text(encoding="utf-8")
    assert '<section id="differences"' in page
    assert page.count('<table class="pairs">') == 2
    assert "<i>c" not in page


def test_groups_alone_have_no_differences(measured: Measure, tmp_path: Path) -> None:
    assert measured(talks({"a": 6})).differences == []
    assert run_command(["measure", str(tmp_path / "log.jsonl"), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert 'id="differences"' not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_of_many_groups_the_largest_are_compared(measured: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "MOST_COMPARED", 2)
    monkeypatch.setattr("holdfast.simulator.logs.notes.MOST_COMPARED", 2)
    results = measured(talks({"a": 6, "b": 5, "c": 7}))
    assert {(row.a, row.b) for row in results.differences} == {("a", "c")}
    assert "differences are tested between the 2 largest of 3 groups" in results.notes
