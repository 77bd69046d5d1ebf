"""Passages that people have labelled: what raters are fitted on, and what they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.agents.raters.linear.features import Floats, Ints
from holdfast.agents.raters.protocol import Passage, Scale


@dataclass(frozen=True, slots=True)
class Labelled:
    """n passages on one scale.

    ``population``: where the people come from; a person of one population is the same in every set of it.
    ``dimensions``: the K of the scale that are labelled; ``labels``: (n, K), nan where one is missing; ``people``: (n)
    who must never stand on both sides of a split, the person who chatted or the post that was answered.
    """

    id: str
    scale: Scale
    passages: tuple[Passage, ...]
    people: tuple[str, ...]
    dimensions: tuple[str, ...]
    labels: Floats
    population: str = ""

    def rows(self, chosen: Sequence[int] | Ints) -> Labelled:
        """The passages of these numbers only."""
        at = [int(number) for number in chosen]
        return replace(
            self,
            passages=tuple(self.passages[i] for i in at),
            people=tuple(self.people[i] for i in at),
            labels=self.labels[at],
        )


def folds_by_person(people: Sequence[str], folds: int, seed: int) -> Ints:
    """(n,) the fold of each passage, 0 to ``folds`` - 1: a person's passages are in one fold, folds near in size.

    People are dealt in a seeded order, one after the other, so folds differ by one person at most. Fewer people than
    folds: as many folds as people.
    """
    _, person = np.unique(np.asarray(people, dtype=str), return_inverse=True)
    count = int(person.max()) + 1 if len(person) else 0
    dealt = np.random.default_rng(seed).permutation(count)
    return np.asarray((dealt % max(min(folds, count), 1))[person], dtype=np.int64)
