"""Fitting and reporting never share a person, whichever rater is held against whichever set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from holdfast.agents.raters.dialogue.fit import DialogueFit
from holdfast.agents.raters.dialogue.manifest import hashed
from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.dialogue.reading import Reading
from holdfast.agents.raters.dialogue.recipes import Recipe, recipe_for
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import ACTS, Passage, RaterIdentity, Rating, Scale
from holdfast.simulator.validation.chats import read_ieval
from holdfast.simulator.validation.judged import EPITOME, LEND_AN_EAR, read_judged
from holdfast.simulator.validation.making import make, read_epitome_pairs
from holdfast.simulator.validation.scoring import out_of_fold, score, score_unseen


@dataclass(frozen=True)
class Spy(Recipe):
    """A recipe that notes whom each fit saw."""

    fits: list[set[str]] = field(default_factory=list)

    def fit(self, reading: Reading, labelled: Labelled, seed: int = 0) -> DialogueFit:
        self.fits.append(set(labelled.people))
        return super().fit(reading, labelled, seed)


def test_no_fit_sees_the_people_it_is_reported_on(ieval_data: Path) -> None:
    labelled = read_ieval(ieval_data).labelled
    one = recipe_for("perceived", len(labelled.passages))
    spy = Spy(one.scale, one.reader)
    values = out_of_fold(spy, labelled)
    assert not np.isnan(values).any()
    assert len(spy.fits) == 5
    everybody = set(labelled.people)
    left_out = [everybody - seen for seen in spy.fits]
    assert sorted(person for each in left_out for person in each) == sorted(everybody)  # each person once


def test_changing_a_persons_labels_never_moves_that_persons_scores(ieval_data: Path) -> None:
    labelled = read_ieval(ieval_data).labelled
    recipe = recipe_for("perceived", len(labelled.passages))
    before = out_of_fold(recipe, labelled)
    mine = np.array([person == "4" for person in labelled.people])
    labels = labelled.labels.copy()
    labels[mine] = 6 - labels[mine]
    after = out_of_fold(recipe, replace(labelled, labels=labels))
    assert np.array_equal(before[mine], after[mine])
    assert not np.array_equal(before[~mine], after[~mine])


async def test_a_rater_is_refitted_on_its_own_people_and_as_it_is_elsewhere(ieval_data: Path, tmp_path: Path) -> None:
    labelled = read_ieval(ieval_data).labelled
    half = labelled.rows(np.flatnonzero([int(person) < 8 for person in labelled.people]))
    make(recipe_for("perceived", len(half.passages)), half, tmp_path / "rater")
    rater = FittedRater(tmp_path / "rater")
    scored = await score(rater, labelled)
    assert scored.how == "refitted on other people"
    unseen, rest = await score_unseen(rater, labelled)
    assert unseen.how == "as it is"
    assert set(rest.people) == {"8", "9", "10", "11"}
    assert (await score(rater, rest)).how == "as it is"


async def test_people_seen_in_another_set_are_left_out_and_counted(ieval_data: Path, tmp_path: Path) -> None:
    labelled = read_ieval(ieval_data).labelled
    make(recipe_for("perceived", len(labelled.passages)), labelled, tmp_path / "rater")
    other = replace(labelled, id="another set of the same people", people=("0", *["new"] * (len(labelled.people) - 1)))
    scored = await score(FittedRater(tmp_path / "rater"), other)
    assert (scored.how, scored.seen.sum()) == ("as it is", 1)
    assert np.isnan(scored.values[0]).all()
    assert not np.isnan(scored.values[1:]).any()


@dataclass(frozen=True)
class Halting:
    """A rater that answers every second time, and knows one dimension only."""

    identity: RaterIdentity = field(default_factory=lambda: RaterIdentity("halting", "1"))
    scale: Scale = ACTS

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        answer, silence = Rating({"advice_giving": 3.0}), Rating(missing="no answer")
        return [answer if number % 2 == 0 else silence for number in range(len(passages))]


async def test_any_rater_can_be_scored_and_what_is_missing_is_counted(judged_data: Path) -> None:
    scored = await score(Halting(), read_judged(judged_data, LEND_AN_EAR).labelled)
    assert scored.missing == {"no answer": 6}
    assert np.isnan(scored.values[:, ACTS.dimensions.index("validating_emotions")]).all()
    assert (scored.values[0::2, ACTS.dimensions.index("advice_giving")] == 3).all()


def test_shipped_weights_know_the_people_they_were_fitted_on(real_data: Path) -> None:
    assert FittedRater(SHIPPED_PERCEIVED).manifest.saw(read_ieval(real_data).labelled).any()


async def test_a_judged_reply_to_a_post_that_was_learned_from_is_left_out(real_data: Path) -> None:
    pairs, judged = read_epitome_pairs(real_data), read_judged(real_data, EPITOME).labelled
    shared = np.array([person in set(pairs.people) for person in judged.people])
    assert pairs.population == judged.population
    assert 0 < shared.sum() < 4  # the data have a few: two replies to one post, one in each set
    scored = await score(LinearRater(), judged)
    assert np.array_equal(scored.seen, shared)
    assert np.isnan(scored.values[shared]).all()
    assert not np.isnan(scored.values[~shared]).any()


def test_a_person_of_one_population_is_nobody_of_another() -> None:
    assert hashed("a", "1") != hashed("b", "1")
