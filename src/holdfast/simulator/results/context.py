"""What the parts of the results are made from: the study's context, and what each episode amounts to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.agents.raters.adherence import adherence
from holdfast.agents.raters.felt.feelers import FeelerKind
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import DESIRED_ON_PERCEIVED_SCALE, Persona
from holdfast.simulator.config.holding import ASSUMED, HoldingTerms
from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.bootstrap import Resamples
from holdfast.simulator.measure.decay.retention import quarter_means, retention
from holdfast.simulator.measure.estimates import MeanEstimate
from holdfast.simulator.measure.extract import EpisodeArrays, extract, felt_array, targets
from holdfast.simulator.measure.gap import gap, perceived
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.model import RaterInfo


@dataclass(frozen=True, slots=True)
class ResultsContext:
    """What all candidates of a study share."""

    target_of_task: Mapping[str, tuple[float, ...]]
    raters: Sequence[RaterInfo]  # the primary one first
    personas: Mapping[str, Persona]
    feelings: Collection[str]
    rng_seed: int
    draws: int
    feeler: FeelerKind = "formula"  # the study's own: who says what was felt, where nobody else is named
    feelers: Sequence[RaterInfo] = ()  # everybody who was asked
    terms: HoldingTerms = ASSUMED

    @property
    def goals(self) -> dict[str, list[str]]:
        """Persona -> ids of its goals."""
        return {id: [goal.id for goal in persona.goals] for id, persona in self.personas.items()}

    @property
    def primary(self) -> RaterInfo:
        """The rater that makes the curves."""
        return self.raters[0]

    @property
    def witnesses(self) -> Sequence[RaterInfo]:
        """The raters beside it."""
        return self.raters[1:]

    def resamples(self, groups: Sequence[str], *purpose: object) -> Resamples:
        """Candidates that met the same personas get the same resamples."""
        return Resamples.of(groups, self.rng(*purpose), self.draws)

    def rng(self, *purpose: object) -> np.random.Generator:
        """A generator of its own for each purpose."""
        return np.random.default_rng(derive_seed(self.rng_seed, *purpose))


@dataclass(frozen=True, slots=True)
class MeasuredCandidate:
    """One candidate's episodes, and what each amounts to (arrays of one value per episode)."""

    arrays: EpisodeArrays
    target: Floats  # episodes x 1 x dimensions of the primary rater's scale
    adherence: Floats  # episodes x turns
    adherence_mean: Floats
    first_quarter: Floats
    last_quarter: Floats
    perceived: Floats  # by the study's feeler
    gap: Floats

    @classmethod
    def of(cls, arrays: EpisodeArrays, context: ResultsContext) -> MeasuredCandidate:
        target = targets(arrays.tasks, context.target_of_task)
        near = adherence(arrays.levels, target, context.primary.scale.width, arrays.disqualified)
        first, last = quarter_means(near, arrays.planned)
        felt = felt_array(arrays, context.feeler)
        return cls(
            arrays, target, near, present_mean(near, axis=1), first, last, perceived(felt), gap(arrays.desired, felt)
        )

    @property
    def trusts_all(self) -> bool:
        """Whether every reply is known: rated, or an observed failure."""
        return not self.arrays.unrated.any()

    def if_unrated(self, value: float) -> Floats:
        """Adherence (episodes x turns) if every unrated reply adhered ``value``."""
        return np.where(self.arrays.unrated, value, self.adherence)

    def retention(self, resamples: Resamples) -> MeanEstimate:
        """Adherence of the last quarter over that of the first."""
        return MeanEstimate.model_validate(retention(self.first_quarter, self.last_quarter, resamples))


def measured_candidates(episodes: Sequence[EpisodeRecord], context: ResultsContext) -> dict[str, MeasuredCandidate]:
    """Measure each candidate's episodes, candidates in the order of their names."""
    desired = {id: DESIRED_ON_PERCEIVED_SCALE[persona.desired_empathy] for id, persona in context.personas.items()}
    arrays_of = extract(episodes, desired, context.primary.scale.dimensions)
    return {name: MeasuredCandidate.of(arrays, context) for name, arrays in arrays_of.items()}
