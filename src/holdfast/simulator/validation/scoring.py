"""A rater's scores of labelled passages, never by weights that saw the same person's labels.

Where a rater was fitted on a set's people, its recipe is fitted again: five times, each on four fifths of the people,
and each passage is scored by the fit that had not seen its person. Other raters score as they are.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdfast.agents.raters.dialogue.rater import FittedRater
from holdfast.agents.raters.dialogue.recipes import AnyRecipe, recipe_of
from holdfast.agents.raters.felt.fit import FeltRecipe
from holdfast.agents.raters.felt.rater import PeopleFeeler
from holdfast.agents.raters.fitted import FolderRater
from holdfast.agents.raters.labelled import Labelled, folds_by_person
from holdfast.agents.raters.protocol import Rater
from holdfast.simulator.measure.arrays import Bools, Floats

FOLDS = 5
How = Literal["as it is", "refitted on other people"]


@dataclass(frozen=True, slots=True)
class Scored:
    """``values``: (n, K) in the order of the set's dimensions, nan where there is none. ``seen``: (n,) left out
    because the weights had seen their person and could not be refitted; ``missing``: reason -> passages."""

    values: Floats
    how: How
    seen: Bools
    missing: dict[str, int]


async def score(rater: Rater, labelled: Labelled, seed: int = 0) -> Scored:
    """Score every passage of ``labelled`` on the rater's scale."""
    no_one = np.zeros(len(labelled.passages), dtype=bool)
    seen = no_one
    if isinstance(rater, FolderRater):
        seen = rater.saw(labelled)
    if isinstance(rater, FittedRater | PeopleFeeler) and seen.any() and rater.manifest.fitted_on == labelled.id:
        recipe = FeltRecipe() if isinstance(rater, PeopleFeeler) else recipe_of(rater.manifest)
        values = out_of_fold(recipe, labelled, seed)
        return Scored(values, "refitted on other people", no_one, _unscored(values))
    return await _as_it_is(rater, labelled, seen)


async def score_unseen(rater: FittedRater | PeopleFeeler, labelled: Labelled) -> tuple[Scored, Labelled]:
    """The shipped weights on the people whom they had not seen, and those people's passages (maybe none)."""
    rest = labelled.rows(np.flatnonzero(~rater.saw(labelled)))
    return await _as_it_is(rater, rest, np.zeros(len(rest.passages), dtype=bool)), rest


def out_of_fold(recipe: AnyRecipe, labelled: Labelled, seed: int = 0) -> Floats:
    """(n, K): five fits, folds grouped by person, everything that is fitted or chosen on the other four folds."""
    reading = recipe.reader.read(labelled.passages)
    fold = folds_by_person(labelled.people, FOLDS, seed)
    values = np.full(labelled.labels.shape, np.nan)
    for number in np.unique(fold):
        rest, out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        fitted = recipe.fit(reading.rows(rest), labelled.rows(rest), seed)
        values[out] = fitted.model.predict(reading.rows(out))
    return values


async def _as_it_is(rater: Rater, labelled: Labelled, seen: Bools) -> Scored:
    asked = np.flatnonzero(~seen)
    ratings = await rater.rate([labelled.passages[i] for i in asked])
    values = np.full(labelled.labels.shape, np.nan)
    for i, rating in zip(asked, ratings, strict=True):
        values[i] = rating.levels(labelled.dimensions)
    missing = Counter(rating.missing for rating in ratings if rating.missing is not None)
    return Scored(values, "as it is", seen, dict(missing))


def _unscored(values: Floats) -> dict[str, int]:
    count = int(np.isnan(values).all(axis=1).sum())
    return {"no reply of the assistant": count} if count else {}
