"""People's labels: what they say of the candidates beside what the rater says, and whether the rater errs alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.simulator.measure.labelled_mean import METHODS
from holdfast.simulator.report.series import Series
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.label_model import LabelledCandidate, RaterError, RunLabels
from holdfast.simulator.results.model import Results


@dataclass(frozen=True, slots=True)
class LabelsView:
    """``biased``: the mean errors of raters that surely differ between candidates."""

    results: RunLabels
    rows: tuple[tuple[Series, LabelledCandidate], ...]
    biased: tuple[RaterError, ...]
    methods: tuple[str, ...] = METHODS

    @property
    def by_models(self) -> bool:
        """Whether language models gave labels."""
        return bool(self.results.models)


def labels_view(results: Results, rows: Sequence[tuple[Series, CandidateResults]]) -> LabelsView | None:
    """Lay out the labels; None where nobody gave any."""
    labels = results.labels
    if labels is None:
        return None
    shown = tuple((series, labels.candidates[series.name]) for series, _ in rows if series.name in labels.candidates)
    return LabelsView(labels, shown, tuple(each for each in labels.errors if each.dimension == "mean" and each.biases))
