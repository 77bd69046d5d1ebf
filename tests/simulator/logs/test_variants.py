"""A run as a log: variants of a persona are that one person, as in the run's own results."""

from __future__ import annotations

from pathlib import Path

from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.sources import open_sources, read_all
from tests.simulator.recorded import record_run


def test_variants_are_one_speaker(tmp_path: Path) -> None:
    vary = {"count": 3, "fields": {"patience": [1, 3]}}
    run = record_run(tmp_path / "run", personas={"ids": ["jun_park", "priya_raman"], "vary": vary}, turns=2)
    talks = [each for each in read_all(open_sources([run])) if not isinstance(each, SkippedLine)]
    assert {talk.speaker for talk in talks} == {"jun_park", "priya_raman"}
    assert len(talks) >= 6
