"""Disqualified and unrated replies: counted apart by failure, reason and turn; 0 in the curve, and bounds around it."""

from dataclasses import replace

import pytest

from holdfast.agents.raters.protocol import Rating
from holdfast.simulator.cli.studies.summary import print_summary
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.report.page import write_report
from holdfast.simulator.results.outcomes import outcome_lines
from tests.simulator.results.test_build import PERSONAS, build, conversation

LOOP = Rating(disqualified="loop", evidence="sorry <b> sorry")
SPANISH = Rating(missing="in a language that the rater does not know (es)")


def with_rating(episode: EpisodeRecord, rating: Rating, *numbers: int) -> EpisodeRecord:
    """The turns of these numbers with another rating."""
    turns = [replace(turn, ratings={"linear": rating}) if turn.turn in numbers else turn for turn in episode.turns]
    return replace(episode, turns=tuple(turns))


def people(candidate: str, level: float, count: int = 5) -> list[EpisodeRecord]:
    return [conversation(candidate, f"p{i}", [level] * 8) for i in range(count)]


def test_a_disqualified_reply_is_0_and_an_unrated_one_is_nan():
    """Eight turns of adherence a; turn 2 disqualified, turn 8 unrated: mean 6 a / 7, turn 8 has no value."""
    spoken = people("routed", 0.9)
    whole = build(spoken).candidates["routed"]
    part = build([with_rating(with_rating(each, LOOP, 2), SPANISH, 8) for each in spoken]).candidates["routed"]
    near = whole.adherence.mean
    assert part.adherence.mean == pytest.approx(6 * near / 7)
    assert part.adherence_by_turn[1].mean == 0.0
    assert [point.turn for point in part.adherence_by_turn] == [1, 2, 3, 4, 5, 6, 7]
    assert (part.disqualified, part.unrated) == ({"loop": 5}, {SPANISH.missing: 5})
    assert part.disqualified_by_turn == {"loop": [0, 5, 0, 0, 0, 0, 0, 0]}
    assert part.unrated_by_turn == {SPANISH.missing: [0, 0, 0, 0, 0, 0, 0, 5]}
    assert (whole.disqualified, whole.unrated, whole.bounds) == ({}, {}, None)
    assert part.mechanism_by_turn["interpretation"][0].n == 5
    assert 2 not in [point.turn for point in part.mechanism_by_turn["interpretation"]]  # a failure has no level


def test_the_bounds_by_hand():
    """Of eight turns of adherence a, one unrated: (7 a + 0) / 8 and (7 a + 1) / 8."""
    spoken = people("routed", 0.9)
    near = build(spoken).candidates["routed"].adherence.mean
    part = build([with_rating(each, SPANISH, 8) for each in spoken]).candidates["routed"]
    assert part.bounds.worst.adherence.mean == pytest.approx(7 * near / 8)
    assert part.bounds.best.adherence.mean == pytest.approx((7 * near + 1) / 8)
    assert part.bounds.worst.adherence_by_turn[7].mean == 0.0
    assert part.bounds.best.adherence_by_turn[7].mean == 1.0
    assert part.bounds.worst.retention.mean == pytest.approx(0.5)  # the last quarter: turns 7 and 8
    assert part.bounds.worst.adherence.mean <= part.adherence.mean <= part.bounds.best.adherence.mean


def test_where_unrated_replies_could_turn_the_verdict_the_headline_says_so(tmp_path, capsys):
    base = [conversation("base", f"p{n}", [0.55 + 0.02 * n] * 8) for n in range(5)]
    routed = people("routed", 0.9)
    few = build([*base, *[with_rating(each, SPANISH, 1) for each in routed]])
    assert few.undecided == ""  # turn 1 is not in the last quarter
    assert "adhered more than" in few.headline
    held = [*base, *[with_rating(each, SPANISH, 7, 8) for each in routed[:2]], *routed[2:]]
    many = build(held)
    assert many.undecided == "4 unrated replies could turn it"
    assert "it is undecided which adhered more in the last quarter: 4 unrated replies could turn it." in many.headline
    page = write_report(tmp_path / "report.html", many, held, PERSONAS).read_text(encoding="utf-8")
    assert "<strong>undecided</strong>" in page
    print_summary(many, tmp_path)
    assert "undecided" in " ".join(capsys.readouterr().out.split())


def test_failures_are_never_undecided():
    held = [*people("base", 0.6), *[with_rating(each, LOOP, 7, 8) for each in people("routed", 0.9)]]
    results = build(held)
    assert results.undecided == ""
    assert results.candidates["routed"].adherence_last_quarter.mean == 0.0
    assert results.candidates["routed"].retention.mean == 0.0


def test_screen_and_page_name_them(tmp_path, capsys):
    held = [with_rating(with_rating(each, LOOP, 2), SPANISH, 8) for each in people("base", 0.9)]
    results = build(held)
    (line,) = outcome_lines(results.candidates)
    assert line.startswith("base: 5 of 40 replies are disqualified, with adherence 0 (5 x loop); 5 of 40 replies are")
    print_summary(results, tmp_path)
    assert "5 x loop" in " ".join(capsys.readouterr().out.split())
    page = write_report(tmp_path / "report.html", results, held, PERSONAS).read_text(encoding="utf-8")
    assert "with adherence 0 (5 x loop)" in page
    assert "sorry <b> sorry" not in page
