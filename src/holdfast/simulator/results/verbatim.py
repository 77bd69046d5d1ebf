"""What trained candidates say word for word as in training, over a run's own dialogues."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.simulator.measure.estimates import MeanEstimate, estimate
from holdfast.simulator.measure.text.verbatim import Talk, known_text, verbatim_shares
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext


def verbatim_results(
    trained_on: Sequence[Talk],
    measured: Mapping[str, MeasuredCandidate],
    context: ResultsContext,
) -> dict[str, Any]:
    """Measure the share of sentences and of whole replies that stand in ``trained_on``, by candidate.

    An untrained candidate stands beside the trained ones, as a floor. Returns the fields of ``Results``, none where
    nothing was trained.
    """
    if not trained_on:
        return {}
    known = known_text(trained_on)
    sentences, replies = dict[str, MeanEstimate](), dict[str, MeanEstimate]()
    for name, each in measured.items():
        talks = [[(turn.user, turn.reply) for turn in episode.turns] for episode in each.arrays.episodes]
        resamples = context.resamples(each.arrays.groups, "episodes")
        sentences[name], replies[name] = (estimate(shares, resamples) for shares in verbatim_shares(talks, known))
    return {"verbatim": sentences, "verbatim_replies": replies}
