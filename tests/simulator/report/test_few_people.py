"""A page of fewer people than intervals need says nothing of intervals that it does not draw."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.simulator.report.page import write_report
from tests.simulator.report import make_fixture
from tests.simulator.results.test_build import build, study

BANDS = ("with 95 % bands from a bootstrap", "bands are 95 %")


@pytest.mark.parametrize(("count", "told"), [(3, False), (8, True)])
def test_bands_are_told_where_they_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, *, told: bool
) -> None:
    few = dict(list(make_fixture.make_personas(1).items())[:count])
    monkeypatch.setattr(make_fixture, "make_personas", lambda _per_task: few)
    results, episodes, people = make_fixture.make_study.__wrapped__(8, ("base", "routed"))
    text = write_report(tmp_path / "report.html", results, episodes, people).read_text(encoding="utf-8")
    assert ("cannot be tested" in text, *(words in text for words in BANDS)) == (not told, told, told)


def test_two_that_are_level_are_said_to_be_level() -> None:
    found = build(study({"base": 0.8, "a": 0.8}, personas=("p1",), noise=0.0))
    assert "in the last quarter “a” stands level with the base model; 1 person" in found.headline
    assert "above" not in found.headline
    apart = build(study({"base": 0.7, "a": 0.8}, personas=("p1",), noise=0.0))
    assert "“a” stands 0.10 above the base model" in apart.headline
