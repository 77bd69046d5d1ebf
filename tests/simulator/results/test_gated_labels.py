"""What labels say where the gate stops replies: figures, reasons where they stand, and the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.agents.raters.protocol import Rating
from holdfast.simulator.labelling.sample import draw_sample
from holdfast.simulator.labelling.store import Label, LabelFolder, LabelSample
from holdfast.simulator.records import EpisodeRecord, TurnRecord
from holdfast.simulator.report.page import write_report
from holdfast.simulator.results.label_model import RunLabels
from tests.simulator.measure.making import PRIMARY
from tests.simulator.report.test_contradictions import section
from tests.simulator.results.test_build import PERSONAS, build, written
from tests.simulator.results.test_labelled import NAMES, labelled, rated

BY_LABELS = ("labels only", "labels and rater")
LAST = (7, 8)  # the turns of the last quarter
TURNS = 8


def stopped(turn: TurnRecord, failure: str = "loop", **changed: object) -> TurnRecord:
    """The same turn, of which the gate stopped the reply."""
    return replace(turn, ratings={**turn.ratings, PRIMARY.name: Rating(disqualified=failure)}, **changed)


def gated(keep: int) -> list[EpisodeRecord]:
    """Conversations of whose last quarter the gate stops all but the last reply of routed, and of base to ``keep``."""
    episodes = []
    for each in rated({"base": 0, "routed": 0}):
        kept = each.spec.candidate == "routed" or list(PERSONAS).index(each.spec.persona) < keep
        turns = [
            stopped(turn) if turn.turn == LAST[0] or (turn.turn == LAST[1] and not kept) else turn
            for turn in each.turns
        ]
        episodes.append(replace(each, turns=tuple(turns)))
    return episodes


def labels_of(folder: Path, episodes: list[EpisodeRecord], asked: set[int], level: int | None = None) -> LabelFolder:
    """Labels of the replies in the turns ``asked``, ``level`` everywhere or at random; of stopped ones, too, as they
    were drawn before."""
    labels, random = LabelFolder(folder), np.random.default_rng(5)
    every = draw_sample(episodes, TURNS * len(episodes), seed=1, gated=False)
    drawn = [each for each in every if each.turn in asked]
    labels.keep_sample(LabelSample(scale="expressed", seed=1, replies=tuple(drawn)))
    for item in drawn:
        values = random.choice([0, 1, 2], 3).tolist() if level is None else [level] * 3
        labels.add("ana", Label(episode=item.episode, turn=item.turn, levels=dict(zip(NAMES, values, strict=True))))
    return labels


def measured(episodes: list[EpisodeRecord], labels: LabelFolder) -> RunLabels:
    made = build(episodes, labels=labels).labels
    assert made is not None
    return made


def test_a_quarter_without_a_label_of_what_is_let_through_says_so_where_its_figures_stand(tmp_path: Path) -> None:
    """Turn 7 is labelled and stopped everywhere; turn 8, let through to six people of base, has no label."""
    episodes = gated(keep=6)
    results = build(episodes, labels=labels_of(tmp_path, episodes, set(range(1, 8))))
    base = written(results)["labels"]["candidates"]["base"]
    why = "no labelled reply among the 6 that the gate lets through in the last quarter: cannot tell"
    for figure in (base["quarters"][3], base["retention"]):
        for method in BY_LABELS:
            assert figure[method] == {"mean": None, "lo": None, "hi": None, "reason": why}
        assert figure["rater only"]["mean"] is not None
    pair = next(each for each in results.labels.differences if each.metric == "adherence_last_quarter")
    apart = pair.difference["labels only"]
    assert apart.mean is None
    assert apart.reason == f"base: {why}; routed: {why.replace('the 6', 'the 8')}"
    page = write_report(tmp_path / "report.html", results, episodes, PERSONAS).read_text(encoding="utf-8")
    assert section(page, "labels").count(why) >= 5  # retention twice, the last quarter, the difference twice


def test_a_quarter_that_is_stopped_altogether_is_0_and_says_so(tmp_path: Path) -> None:
    episodes = gated(keep=0)
    base = measured(episodes, labels_of(tmp_path, episodes, {1, 2})).candidates["base"]
    why = "exactly 0 here, as the gate stopped all 16 replies in the last quarter"
    for method in ("labels only", "labels and rater", "rater only"):
        last, kept = base.quarters[3][method], base.retention[method]
        assert (last.mean, last.lo, last.hi) == pytest.approx((0, 0, 1 - 0.05 ** (1 / 8)))
        assert last.reason == kept.reason == f"{why}: limits allow for what was not seen"
        assert (kept.mean, kept.lo) == pytest.approx((0, 0))
        assert kept.hi > 0.2


def test_labels_that_are_all_alike_give_no_interval_without_width(tmp_path: Path) -> None:
    """Everybody is labelled 1 throughout, in a study without a stop: adherence, errors and differences."""
    episodes = rated({"base": 0, "routed": 0})
    made = measured(episodes, labels_of(tmp_path, episodes, set(range(1, 9)), level=1))
    base = made.candidates["base"].adherence["labels only"]
    assert base.lo < base.mean < base.hi
    apart = next(each for each in made.differences if each.metric == "adherence").difference["labels only"]
    assert apart.lo < 0 < apart.hi
    figures = [
        *made.candidates["base"].retention.values(),
        *(each for q in made.candidates["base"].quarters for each in q.values()),
    ]
    assert all(each.hi is None or each.hi - each.lo > 0.01 for each in figures)


def test_a_rater_that_errs_by_the_same_everywhere_is_not_surely_biased(tmp_path: Path) -> None:
    """On eight people an error of 0 everywhere leaves a third of replies open."""
    episodes = [
        replace(
            each,
            turns=tuple(
                replace(turn, ratings={**turn.ratings, PRIMARY.name: Rating(dict.fromkeys(NAMES, 1.0))})
                for turn in each.turns
            ),
        )
        for each in rated({"base": 0, "routed": 0})
    ]
    made = measured(episodes, labels_of(tmp_path, episodes, set(range(1, 9)), level=1))
    error = next(each for each in made.errors if each.dimension == "mean").by_candidate["base"]
    open_to = 2 * (1 - 0.05 ** (1 / 8))
    assert (error.mean, error.lo, error.hi) == pytest.approx((0, -open_to, open_to))
    assert error.reason == "labels do not vary: limits allow for what was not seen"


def test_what_is_silent_and_stopped_counts_0_as_the_curves_have_it(tmp_path: Path) -> None:
    """Half of all replies hold no text; no coder can be asked about those, and they are 0 all the same."""
    plain = rated({"base": 0, "routed": 0})
    episodes = [
        replace(each, turns=tuple(stopped(turn, "empty", reply="") if turn.turn % 2 else turn for turn in each.turns))
        for each in plain
    ]
    results = build(episodes, labels=labels_of(tmp_path, episodes, set(range(1, 9)), level=1))
    base = results.labels.candidates["base"].adherence
    assert base["rater only"].mean == pytest.approx(results.candidates["base"].adherence.mean)
    whole = (
        measured(plain, labels_of(tmp_path / "whole", plain, set(range(1, 9)), level=1)).candidates["base"].adherence
    )
    assert base["labels only"].mean == pytest.approx(whole["labels only"].mean / 2)


def test_few_people_with_labels_of_what_is_let_through_are_told(tmp_path: Path) -> None:
    episodes = gated(keep=3)
    made = measured(episodes, labels_of(tmp_path, episodes, {*LAST}))
    assert made.candidates["base"].quarters[3]["labels only"].reason == (
        "3 people with a labelled reply among the 3 that the gate lets through in the last quarter: cannot tell"
    )
    assert made.notes == [
        "base: 3 persons with labels: too few for limits to be trusted",
        "routed: 8 persons with labels: too few for limits to be trusted",
        "21 labelled replies were stopped by the gate: left out",
    ]
    assert (made.drawn, made.labelled, made.share_labelled) == (11, 11, 1)  # eight of routed, three of base


def test_fewer_than_five_people_are_told_where_limits_are_missing(tmp_path: Path) -> None:
    episodes = rated({"base": 0, "routed": 0}, personas=4)
    base = measured(episodes, labelled(tmp_path, episodes, count=48)).candidates["base"].adherence
    assert {each.reason for each in base.values()} == {"4 people: cannot be tested"}


def test_a_first_quarter_near_0_is_told_where_retention_has_no_limits(tmp_path: Path) -> None:
    """Of base's first quarter one reply each to five people is let through; labels of 2 are 0 of a solver to four."""
    heard, episodes = {"p0", "p1", "p2", "p4", "p6"}, []
    for each in rated({"base": 0, "routed": 0}):
        turns = [
            stopped(turn) if turn.turn == 1 or (turn.turn == 2 and each.spec.persona not in heard) else turn
            for turn in each.turns
        ]
        episodes.append(replace(each, turns=tuple(turns)))
    labels = labels_of(tmp_path, episodes, set(range(1, 9)), level=2)
    kept = measured(episodes, labels).candidates["base"].retention["labels only"]
    assert kept.mean > 1
    assert (kept.lo, kept.hi) == (None, None)
    assert kept.reason == "the first quarter's adherence is not surely above 0"


def test_a_first_quarter_of_0_is_told_where_there_is_no_retention(tmp_path: Path) -> None:
    episodes = [
        replace(each, turns=tuple(stopped(turn) if turn.turn < 3 else turn for turn in each.turns))
        for each in rated({"base": 0, "routed": 0})
    ]
    kept = measured(episodes, labels_of(tmp_path, episodes, {7, 8})).candidates["base"].retention["labels and rater"]
    assert kept.mean is None
    assert kept.reason == (
        "exactly 0 here, as the gate stopped all 16 replies in the first quarter: limits allow for what was not seen; "
        "the first quarter's adherence is 0"
    )
