"""How much is said by heart: in results and on the page, for every candidate of a run that trained."""

from __future__ import annotations

from pathlib import Path

from holdfast.simulator.report.page import write_report
from tests.simulator.measure.making import episode
from tests.simulator.results.test_build import PERSONAS, build

TRAINED = [[(f"I am sad about the {what}.", f"I am so sorry about the {what}.")] for what in ("move", "audit")]


def test_an_expert_that_repeats_its_lessons_is_told(tmp_path: Path) -> None:
    said = {"routed": "I am so sorry about the survey.", "base": "Split the survey into parts."}
    held = [
        episode([(1, 1, 1)] * 3, candidate=name, persona=id, task=each.task, user="The survey again.", reply=reply)
        for name, reply in said.items()
        for id, each in PERSONAS.items()
    ]
    results = build(held, trained_on=TRAINED)
    for shares in (results.verbatim, results.verbatim_replies):
        assert {name: share.mean for name, share in shares.items()} == {"base": 0.0, "routed": 1.0}
    page = write_report(tmp_path / "report.html", results, held, PERSONAS).read_text(encoding="utf-8")
    assert "Said by heart." in page
    assert (
        "of whole replies <bdi>base</bdi> 0\N{NARROW NO-BREAK SPACE}%, <bdi>routed</bdi> 100\N{NARROW NO-BREAK SPACE}%"
        in page
    )
    assert build(held).verbatim == {}
    assert "Said by heart." not in write_report(tmp_path / "two.html", build(held), held, PERSONAS).read_text()
