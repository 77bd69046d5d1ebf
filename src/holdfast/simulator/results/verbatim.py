"""What trained candidates say word for word as in training, over a run's own dialogues."""

from collections.abc import Mapping, Sequence

from holdfast.simulator.measure.estimates import MeanEstimate, estimate
from holdfast.simulator.measure.text.verbatim import Talk, common_words, sentences, verbatim_share
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext


def verbatim_results(
    trained_on: Sequence[Talk],
    measured: Mapping[str, MeasuredCandidate],
    context: ResultsContext,
) -> dict[str, MeanEstimate]:
    """Measure each candidate's share of sentences that stand in ``trained_on``; an untrained one beside it, as a floor.

    Empty where nothing was trained.
    """
    if not trained_on:
        return {}
    common = common_words(trained_on)
    known = frozenset(sentence for talk in trained_on for reply in sentences(talk, common) for sentence in reply)
    shares = {}
    for name, each in measured.items():
        talks = [[(turn.user, turn.reply) for turn in episode.turns] for episode in each.arrays.episodes]
        resamples = context.resamples(each.arrays.groups, "episodes")
        shares[name] = estimate(verbatim_share(talks, known, common), resamples)
    return shares
