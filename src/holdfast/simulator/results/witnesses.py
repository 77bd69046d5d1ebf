"""What other raters say: witnesses stand beside the primary rater, which alone makes the curves."""

from collections.abc import Mapping

import numpy as np

from holdfast.agents.raters.adherence import adherence
from holdfast.agents.raters.protocol import Rating
from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.bootstrap import Resamples, mean_band
from holdfast.simulator.measure.decay.retention import quarter_means, retention
from holdfast.simulator.measure.estimates import MeanEstimate, curve, estimate
from holdfast.simulator.measure.extract import disqualified_array, rating_array
from holdfast.simulator.measure.sums import correlation, pair_moments
from holdfast.simulator.results.candidate_model import AgreementResults, WitnessResults
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.model import RaterInfo
from holdfast.simulator.results.stopped import failures_of, unrated

MEAN = "mean"  # over a rater's dimensions
NOT_RATED = Rating(missing="not rated")  # by a rater that was not there when the reply was


def witness_results(
    rater: RaterInfo, measured: MeasuredCandidate, context: ResultsContext, resamples: Resamples
) -> WitnessResults:
    """Measure one candidate by a witness."""
    arrays, dimensions = measured.arrays, rater.scale.dimensions
    values = rating_array(arrays.episodes, arrays.turns, dimensions, rater.name)
    same_scale = rater.scale == context.primary.scale
    stopped = disqualified_array(arrays.episodes, arrays.turns, rater.name)
    near = np.full(values.shape[:2], np.nan)
    if same_scale:
        near = adherence(values, measured.target, rater.scale.width, stopped)
    first, last = quarter_means(near, arrays.planned)

    def mean(by_turn: Floats) -> MeanEstimate:
        return estimate(present_mean(by_turn, axis=1), resamples)

    ratings = [turn.ratings.get(rater.name, NOT_RATED) for episode in arrays.episodes for turn in episode.turns]
    return WitnessResults(
        levels={name: mean(values[:, :, index]) for index, name in enumerate(dimensions)},
        levels_by_turn={name: curve(mean_band(values[:, :, i], resamples)) for i, name in enumerate(dimensions)},
        adherence=mean(near),
        adherence_by_turn=curve(mean_band(near, resamples)),
        retention=MeanEstimate.model_validate(retention(first, last, resamples)),
        unrated=unrated(ratings),
        disqualified=failures_of(ratings),
    )


def agreement_results(measured: Mapping[str, MeasuredCandidate], context: ResultsContext) -> list[AgreementResults]:
    """Correlate each witness with the primary rater over all replies, by the dimensions that both rate."""
    groups = [group for each in measured.values() for group in each.arrays.groups]
    resamples = context.resamples(groups, "agreement")
    primary, rows = context.primary.scale.dimensions, []
    for rater in context.witnesses:
        theirs = rater.scale.dimensions
        pairs = [
            (each.arrays.levels, rating_array(each.arrays.episodes, each.arrays.turns, theirs, rater.name))
            for each in measured.values()
        ]
        columns = {name: (primary.index(name), theirs.index(name)) for name in primary if name in theirs}
        compared = {name: [(x[..., i], y[..., j]) for x, y in pairs] for name, (i, j) in columns.items()}
        compared[MEAN] = [(x.mean(axis=-1), y.mean(axis=-1)) for x, y in pairs]
        for name, values in compared.items():
            moments = np.concatenate([pair_moments(x, y) for x, y in values]) if values else np.zeros((0, 6))
            by_cluster = np.zeros((resamples.weights.shape[1], 6))
            np.add.at(by_cluster, resamples.codes, moments)
            r = MeanEstimate.model_validate(correlation(by_cluster, resamples.weights))
            rows.append(AgreementResults(witness=rater.name, dimension=name, r=r))
    return rows
