from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from holdfast.simulator.monitor.progress import NoProgress, PlainProgress, Speed, duration
from holdfast.simulator.monitor.viewer import RichProgress, StageLines, progress_for


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_speed_and_time_left_by_hand() -> None:
    clock = Clock()
    speed = Speed(clock)
    speed.start(total=1000, done=400)  # resumed
    assert speed.seconds_left is None
    clock.now, speed.done = 10.0, 500  # 100 turns in 10 s, 500 to go at 10/s
    assert speed.turns_per_s == 10
    assert speed.seconds_left == 50
    assert speed.line() == "500/1,000 turns, 10.0 turns/s, 50 s left"


@pytest.mark.parametrize(("seconds", "words"), [(3.2, "3 s"), (150, "2 min"), (7200, "2.0 h")])
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_plain_lines_come_every_few_seconds() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = PlainProgress(stream, 5.0, Speed(clock))
    progress.start(20, 0)
    for _ in range(12):
        clock.now += 1
        progress.advance()
    progress.drop(8)
    progress.finish()
    assert stream.getvalue().splitlines() == [
        "5/20 turns, 1.0 turns/s, 15 s left",
        "10/20 turns, 1.0 turns/s, 10 s left",
        "12/12 turns, 1.0 turns/s, 0 s left",
    ]


def test_a_stage_says_that_it_goes_on_while_none_of_its_steps_ends(capsys: pytest.CaptureFixture[str]) -> None:
    stage = StageLines(every=0.1)
    stage("writing dialogues", 0, 1_200)
    time.sleep(0.5)
    stage("writing dialogues", 1_200, 1_200)
    time.sleep(0.3)
    *before, last = capsys.readouterr().err.splitlines()
    assert last == "writing dialogues: 1,200/1,200"
    assert set(before) == {"writing dialogues: 0/1,200, 0 s so far"}


def test_lines_come_while_no_turn_does() -> None:
    clock, stream = Clock(), io.StringIO()
    progress = PlainProgress(stream, 5.0, Speed(clock))
    progress.start(20, 0)
    for _ in range(11):
        clock.now += 1
        progress.count({})
    assert stream.getvalue().splitlines() == ["0/20 turns, 0.0 turns/s"] * 2


def test_a_bar_in_a_terminal() -> None:
    stream = io.StringIO()
    progress = RichProgress(Console(file=stream, force_terminal=True, width=120))
    progress.start(3, 1)
    progress.advance()
    progress.note("hello")
    progress.drop(1)
    progress.finish()
    assert "2/2 turns" in stream.getvalue()
    assert "hello" in stream.getvalue()


def test_which_one() -> None:
    assert isinstance(progress_for(quiet=True), NoProgress)
    assert isinstance(progress_for(stream=io.StringIO()), PlainProgress)
