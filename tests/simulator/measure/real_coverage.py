"""Do intervals from few labels cover the truth on real people? ``launch.py tests.simulator.measure.real_coverage``.

The truth is the mean empathy that all people of a data set gave; a few of them, whole persons, are drawn as if only
they had been asked, 1,000 times. Scores are of a rater that was fitted on none of it, and of one that is useless on
purpose (random numbers). DUO is only looked at with ``--duo``, because each look at a test set counts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import Passage
from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.labelled_mean import LabelledReplies, mean_of
from holdfast.simulator.validation.chats import read_ieval
from holdfast.simulator.validation.folder import data_folder
from tests.simulator.validation.duo import person_numbers, read_duo

TIMES = 1000


def scores_of(passages: Sequence[Passage]) -> Floats:
    """Mean expressed level of each chat's replies by the linear rater; nan where it rates none."""
    rated = LinearRater().score(passages)
    return np.array([np.mean([*rating.values.values()]) if rating.values else np.nan for rating in rated])


def ieval(data: Path) -> tuple[Floats, Floats, Ints]:
    """(chats,) labels, scores and persons."""
    labelled = read_ieval(data).labelled
    return labelled.labels.mean(axis=1), scores_of(labelled.passages), person_numbers(labelled.people)


def duo(data: Path) -> tuple[Floats, Floats, Ints]:
    """(chats,) labels, scores and persons."""
    chats = read_duo(data)
    return chats.empathy, scores_of(chats.passages), chats.persons


def coverage(labels: Floats, scores: Floats, persons: Ints, count: int, times: int = TIMES) -> dict[str, float]:
    """Share of ``times`` draws of whole persons with about ``count`` labels whose interval covers the mean label."""
    random = np.random.default_rng(7)
    people = int(persons.max()) + 1
    asked = max(2, round(count * people / len(labels)))
    covered = dict.fromkeys(("labels and rater", "labels only"), 0)
    widths: dict[str, list[float]] = {method: [] for method in covered}
    for _ in range(times):
        drawn = np.isin(persons, random.choice(people, asked, replace=False))
        replies = LabelledReplies(
            scores, np.where(drawn, labels, np.nan), np.full(len(labels), asked / people), persons, people
        )
        for method in covered:
            interval = mean_of(replies, method, finite=True).interval()  # type: ignore[arg-type]
            covered[method] += interval.lo <= labels.mean() <= interval.hi
            widths[method].append(interval.hi - interval.lo)
    figures = {f"covered, {method}": count / times for method, count in covered.items()}
    return {"persons": asked} | figures | {f"width, {method}": float(np.median(w)) for method, w in widths.items()}


def main() -> None:
    """Print a line for each data set, rater and number of labels."""
    data = data_folder(None)
    sets = {"iEval": (ieval, (20, 50, 100))}
    if "--duo" in sys.argv:
        sets = {"DUO": (duo, (20, 40))}
    for name, (read, counts) in sets.items():
        labels, scores, persons = read(data)
        useless = np.random.default_rng(3).normal(size=len(labels))
        for rater, values in (("linear", scores), ("useless", useless)):
            for count in counts:
                figures = coverage(labels, values, persons, count)
                print(
                    name, rater, f"{count} labels:", ", ".join(f"{key} {value:.3g}" for key, value in figures.items())
                )


if __name__ == "__main__":
    main()
