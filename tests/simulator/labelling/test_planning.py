"""What a plan of labels promises is what the drawn sample gives: by hand, and over samples drawn again and again."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.errors import InputError
from holdfast.simulator.labelling.planning import RatedReplies, plan_labels
from holdfast.simulator.labelling.sample import allocated
from holdfast.simulator.labelling.session import open_session
from holdfast.simulator.measure.jackknifed import student
from holdfast.simulator.measure.labelled_mean import LabelledReplies, mean_of
from holdfast.simulator.runtime.pipeline import report
from tests.simulator.measure.making import rng
from tests.simulator.recorded import Parrot, record_run

QUARTERS, TURNS = 4, 24


def replies(random: np.random.Generator, persons: int, stopped: float) -> RatedReplies:
    """24 turns before each person; people differ, quarters fall, and the gate stops more later on."""
    person = np.repeat(np.arange(persons), TURNS)
    quarter = np.tile(np.repeat(np.arange(QUARTERS), TURNS // QUARTERS), persons)
    own = random.normal(0, 0.1, persons)[person]
    scores = np.clip(0.7 - 0.05 * quarter + own + random.normal(0, 0.15, len(person)), 0, 1)
    rate = random.beta(3, 3, persons)[person] * 2 * stopped * (0.4 + 0.4 * quarter)
    stops = random.random(len(person)) < rate
    return RatedReplies(np.where(stops, 0.0, scores), person, np.where(stops, -1, quarter))


def sizes_of(rated: RatedReplies, count: int) -> list[int]:
    strata = {f"a, quarter {code}": np.flatnonzero(rated.strata == code) for code in range(QUARTERS)}
    return [*allocated(strata, count).values()]


def labelled(rated: RatedReplies, drawn: list[int], random: np.random.Generator) -> LabelledReplies:
    """Labels that say what the rater says, of so many replies of each stratum."""
    labels, chance = (np.full(len(rated.scores), np.nan) for _ in range(2))
    for code, number in enumerate(drawn):
        of = random.permutation(np.flatnonzero(rated.strata == code))
        labels[of[:number]], chance[of[:number]] = rated.scores[of[:number]], number / len(of)
    scores, count = np.full(len(labels), np.nan), int(rated.persons.max()) + 1
    return LabelledReplies(scores, labels, chance, rated.persons, count, rated.strata < 0, 0.0, 1.0)


@pytest.mark.parametrize(("persons", "stopped", "count"), [(12, 0.0, 50), (12, 0.4, 50), (24, 0.6, 40), (24, 0.4, 100)])
def test_what_is_planned_is_as_wide_as_what_is_drawn(persons: int, stopped: float, count: int) -> None:
    random, ratios = rng(persons + count), []
    for _ in range(25):
        rated = replies(random, persons, stopped)
        drawn = sizes_of(rated, count)
        limits = [mean_of(labelled(rated, drawn, random), "labels only").interval() for _ in range(12)]
        widths = [each.hi - each.lo for each in limits]
        ratios.append(float(np.median(widths)) / (2 * rated.half_widths(drawn, 0.0)[0]))
    assert np.median(ratios) == pytest.approx(1, abs=0.1)


def test_all_labelled_is_what_persons_leave_open_by_hand() -> None:
    # two replies a person, of one stratum each: person means 1, .5, .5, .25, .25 (a stop counts 0): mean .5
    # squares of deviations .25 + 0 + 0 + .0625 + .0625 = .375; SE = sqrt(.375 / 4 / 5) = .1369
    scores = np.array([1.0, 1.0, 0.5, 0.5, 1.0, 0.0, 0.5, 0.0, 0.25, 0.25])
    strata = np.array([0, 1, 0, 1, 0, -1, 0, -1, 0, 1])
    rated = RatedReplies(scores, np.repeat(np.arange(5), 2), strata)
    error = math.sqrt(0.375 / 20)
    assert rated.half_widths([5, 3], 0.0) == pytest.approx((student(5) * error,) * 2)
    # three of the five of stratum 0, whose variance is .34375 - ... = .10625, weigh (.5)^2 (1/3 - 1/5) more
    spread = np.var([1.0, 0.5, 1.0, 0.5, 0.25], ddof=1)
    some = math.sqrt(error**2 + 0.25 * spread * (1 / 3 - 1 / 5))
    expected_people = 3 * 1 + 2 * 3 / 5  # who has a reply of stratum 1, all of which is labelled; and of the other two
    assert rated.half_widths([3, 3], 0.0)[0] == pytest.approx(student(round(expected_people)) * some)
    with_rater = math.sqrt(error**2 + 0.75 * 0.25 * spread * (1 / 3 - 1 / 5))
    assert rated.half_widths([3, 3], 0.5)[1] == pytest.approx(student(5) * with_rater)


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people, of whose replies the gate lets the first of six through."""
    run = record_run(tmp_path_factory.mktemp("plan") / "run", Parrot, replicates=12)
    report(run)
    return run


def test_the_plan_is_of_the_replies_that_are_drawn(gated: Path) -> None:
    planned = plan_labels(gated)
    session = open_session(gated, "ana", count=10_000, scale="expressed")
    assert planned.replies == len(session.asked) == 3 * 2 * 12
    assert planned.stopped == 5 * planned.replies
    assert [each.labels for each in planned.rows] == [40]  # 20 of each of two; 100 there are not
    one = plan_labels(gated, ["base"])
    assert (one.candidates, one.replies, [each.labels for each in one.rows]) == (("base",), 36, [20])
    with pytest.raises(InputError, match="no candidate 'bass' in this run; did you mean 'base'"):
        plan_labels(gated, ["bass"])
