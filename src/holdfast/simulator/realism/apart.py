"""Two sources of users, told apart by a classifier: by messages and by conversations, masked, raw and levelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from holdfast.core.seeds import derive_seed
from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.bootstrap import DRAWS, FEWEST, too_few
from holdfast.simulator.measure.estimates import UNDEFINED, MeanEstimate
from holdfast.simulator.measure.text.two_sample import (
    area_under_curve,
    held_out_scores,
    matched,
    person_folds,
    word_features,
)
from holdfast.simulator.realism.masking import Mask, levelled, mask_of, persona_terms
from holdfast.simulator.realism.model import UNITS, ToldApart, Unit, Wording
from holdfast.simulator.realism.talks import TalkSource

if TYPE_CHECKING:
    from holdfast.agents.raters.linear.heads import Features

MOST: dict[Unit, int] = {"message": 1000, "conversation": 200}
#: Inverse L2 penalty of the logistic regressions: scikit-learn's default, and one for vectors of length 1.
WORDS_STRENGTH, ENCODER_STRENGTH = 1.0, 10.0
ENCODER_TOKENS = 256

Vectors = Callable[[Sequence[str]], Floats]
"""Texts -> (texts, width) sentence vectors."""


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts of two sides, equally many of each turn. ``truth``: 1 for the first side's."""

    texts: tuple[str, ...]
    persons: tuple[str, ...]
    truth: Ints
    turns: int

    @property
    def writers(self) -> list[tuple[int, str]]:
        """Side and name of each text's person: one name on both sides is two people."""
        return list(zip(self.truth.tolist(), self.persons, strict=True))

    @property
    def folds(self) -> Ints:
        """Folds by person, each side dealt out by itself so that every fold has both."""
        folds = np.zeros(len(self.truth), dtype=np.int64)
        for side in (0, 1):
            rows = np.flatnonzero(self.truth == side)
            folds[rows] = person_folds([self.persons[row] for row in rows])
        return folds


def told_apart(first: TalkSource, second: TalkSource, seed: int, vectors: Vectors | None) -> list[ToldApart]:
    """Hold two sources against each other in every unit and wording; ``vectors``: None asks TF-IDF alone."""
    everything = [message for source in (first, second) for talk in source.talks for message in talk.messages]
    mask = mask_of(everything, persona_terms([*first.personas.values(), *second.personas.values()]))
    results = []
    for unit in UNITS:
        wordings: tuple[Wording, ...] = ("masked", "raw", "levelled") if unit == "message" else ("masked", "raw")
        rng = np.random.default_rng(derive_seed(seed, "realism", first.name, second.name, unit))
        chosen = _messages(first, second, rng) if unit == "message" else _conversations(first, second, rng)
        results += [_apart((first, second), unit, wording, chosen, mask, seed, vectors) for wording in wordings]
    return results


def _messages(first: TalkSource, second: TalkSource, rng: np.random.Generator) -> LabelledTexts:
    sides = [
        [(turn, message, talk.person) for talk in source.talks for turn, message in enumerate(talk.messages, 1)]
        for source in (first, second)
    ]
    places = [[turn for turn, _, _ in side] for side in sides]
    rows = matched(places[0], places[1], MOST["message"], rng)
    turns = len(set(places[0]) & set(places[1]))
    return _labelled([[side[row][1:] for row in chosen] for side, chosen in zip(sides, rows, strict=True)], turns)


def _conversations(first: TalkSource, second: TalkSource, rng: np.random.Generator) -> LabelledTexts:
    """Cut conversations to the shorter of the two median lengths; those that are shorter still are left out."""
    turns = min(int(np.median([len(talk.messages) for talk in source.talks] or [0])) for source in (first, second))
    sides = [
        [("\n".join(talk.messages[:turns]), talk.person) for talk in source.talks if len(talk.messages) >= turns > 0]
        for source in (first, second)
    ]
    rows = matched([0] * len(sides[0]), [0] * len(sides[1]), MOST["conversation"], rng)
    return _labelled([[side[row] for row in chosen] for side, chosen in zip(sides, rows, strict=True)], turns)


def _labelled(sides: Sequence[Sequence[tuple[str, str]]], turns: int) -> LabelledTexts:
    both = [pair for side in sides for pair in side]
    truth = np.repeat([1, 0], [len(side) for side in sides])
    return LabelledTexts(tuple(text for text, _ in both), tuple(person for _, person in both), truth, turns)


def _apart(
    sources: tuple[TalkSource, TalkSource],
    unit: Unit,
    wording: Wording,
    chosen: LabelledTexts,
    mask: Mask,
    seed: int,
    vectors: Vectors | None,
) -> ToldApart:
    first, second = sources
    sides = [
        {person for person, truth in zip(chosen.persons, chosen.truth, strict=True) if truth == side} for side in (1, 0)
    ]
    people = (len(sides[0]), len(sides[1]))
    few = _too_few(sources, (first.people, second.people)) or _too_few(sources, people)
    hide = Mask(frozenset()) if wording == "raw" else mask
    auc = _Classifiers(chosen, derive_seed(seed, "auc", first.name, second.name, unit)).auc
    undefined = MeanEstimate(**UNDEFINED.model_dump(), n=len(chosen.texts))
    texts = list(chosen.texts)
    if wording == "levelled":
        hide = Mask(frozenset(word.replace("'", "") for word in mask.words))
        texts = levelled(texts, chosen.writers)
    shown = [hide.text(text) for text in texts] if vectors is not None and not few else []
    return ToldApart(
        first=first.name,
        second=second.name,
        floor=not (first.simulated or second.simulated),
        unit=unit,
        wording=wording,
        words=undefined if few else auc(word_features([hide.tokens(text) for text in texts]), WORDS_STRENGTH),
        encoder=None if not shown or vectors is None else auc(vectors(shown), ENCODER_STRENGTH),
        people=people,
        masked_share=_shares(hide, texts, chosen.truth),
        turns=chosen.turns,
        untested=few,
    )


def _too_few(sources: Sequence[TalkSource], people: Sequence[int]) -> str:
    fewest, source = min(zip(people, sources, strict=True), key=lambda pair: pair[0])
    return f"{source.name}: {too_few(fewest)}" if fewest < FEWEST else ""


def _shares(mask: Mask, texts: Sequence[str], truth: Ints) -> tuple[float, float]:
    first, second = ([text for text, of in zip(texts, truth, strict=True) if of == side] for side in (1, 0))
    return mask.share(first), mask.share(second)


@dataclass(frozen=True, slots=True)
class _Classifiers:
    chosen: LabelledTexts
    seed: int

    def auc(self, features: Features, strength: float) -> MeanEstimate:
        """Held-out AUC; every classifier's limits rest on the same resamples of people."""
        folds = self.chosen.folds
        scores = held_out_scores(features, self.chosen.truth, folds, strength)
        rng = np.random.default_rng(self.seed)
        interval = area_under_curve(scores, self.chosen.truth, folds, self.chosen.persons, rng, DRAWS)
        return MeanEstimate.model_validate(asdict(interval))


def encoder_vectors() -> Vectors:
    """Return MiniLM's vectors of texts. Raises InputError where its weights are not here."""
    from holdfast.agents.raters.encoder.minilm import checked_folder

    checked_folder()

    def vectors(texts: Sequence[str]) -> Floats:
        from holdfast.agents.raters.encoder.vectors import vectors_in_batches

        return vectors_in_batches(texts, ENCODER_TOKENS)

    return vectors
