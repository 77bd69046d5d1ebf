"""From one candidate's episodes to whether it holds."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from holdfast.agents.raters.protocol import EXPRESSED, Scale
from holdfast.agents.sentence_frames import split
from holdfast.simulator.conversation.stop import USER_LEFT
from holdfast.simulator.measure.arrays import Bools, Floats, present_mean
from holdfast.simulator.measure.bootstrap import Band, Resamples, mean_band
from holdfast.simulator.measure.clustered import ClusteredMean
from holdfast.simulator.measure.decay.change_point import change_point
from holdfast.simulator.measure.decay.exponential import DecayFit, fit_decay
from holdfast.simulator.measure.decay.holds import HoldsResults, holds, untested
from holdfast.simulator.measure.decay.leaving import leaving, user_left
from holdfast.simulator.measure.decay.mixed_slope import mixed_slope, without_last
from holdfast.simulator.measure.decay.profile import profile_decay
from holdfast.simulator.measure.estimates import curve, estimate
from holdfast.simulator.measure.pairwise import PairResults, align
from holdfast.simulator.measure.text.ngrams import word_ids
from holdfast.simulator.measure.text.repetition import TEMPLATE_WORDS, distinct_n, self_similarity, template_share
from holdfast.simulator.measure.text.tactics import present_tactics, stickiness
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.candidate_model import HoldingResults, MixedSlopes, RepetitionResults
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.pairs import lower_than

#: Why a figure of repetition may be undefined.
UNDEFINED = {
    "same_tactics": "no conversation has two rated turns in a row",
    "same_tactics_chance": "no conversation has two rated turns",
    "template_share": f"no reply has {TEMPLATE_WORDS} words",
    "self_similarity": "no conversation has two replies with a pair of words",
    "distinct_2": "all replies together have fewer than two different pairs of words",
}
CLOSING_TURNS = 4  # goodbyes and thanks: in human support talk the last four explain part of the fall


def holds_results(
    measured: Mapping[str, MeasuredCandidate], pairs: Sequence[PairResults], baseline: str, context: ResultsContext
) -> dict[str, HoldsResults]:
    """Test which candidates hold, by name. ``pairs``: their comparisons; ``baseline``: its name, if it was measured."""
    beside = measured.get(baseline)
    return {name: _holds(each, beside, context, lower_than(pairs, name, baseline)) for name, each in measured.items()}


def _holds(
    measured: MeasuredCandidate, baseline: MeasuredCandidate | None, context: ResultsContext, below_base: bool
) -> HoldsResults:
    resamples = context.resamples(measured.arrays.groups, "episodes")
    codes, kept = resamples.codes, measured.retention(resamples)
    beside = None
    if baseline is not measured:
        difference = np.full(len(codes), np.nan)
        if baseline is not None:
            own, theirs = align(measured.arrays.user_keys, baseline.arrays.user_keys)
            difference[own] = measured.last_quarter[own] - baseline.last_quarter[theirs]
        beside = ClusteredMean.of(difference, codes)
    quarters = measured.first_quarter, measured.last_quarter
    return holds(*quarters, codes, context.terms, beside, retention=kept, shown_below_base=below_base)


def holding(
    measured: MeasuredCandidate,
    band: Band,
    resamples: Resamples,
    context: ResultsContext,
    verdict: HoldsResults,
) -> HoldingResults:
    """Measure all about one candidate's holding.

    ``band``: its mean curve; ``verdict``: whether it holds. The shape of a fall is
    asked for only where the verdict shows one.
    """
    adherence, episodes, groups = measured.adherence, measured.arrays.episodes, measured.arrays.groups
    words = words_by_turn(episodes, adherence.shape[1])
    change = change_point(adherence, groups, context.rng("change point"), draws=len(resamples.weights))
    if verdict.course == "falls":
        fit = fit_decay(band.mean, band.n, change.turn)
    else:
        fit = DecayFit.unasked(untested(verdict.change) or f"no fall is shown ({verdict.course})")
    return HoldingResults(
        holds=verdict,
        mixed_slope=mixed_slopes(adherence, words, groups),
        reply_words_by_turn=curve(mean_band(words, resamples)),
        exponential=profile_decay(adherence, groups, fit),
        shape=fit.shape,
        change_point=change,
        leaving=leaving(adherence, left_early(episodes), people=len(set(groups))),
        repetition=_repetition(measured.arrays.levels, context.primary.scale, episodes, resamples),
    )


def words_by_turn(episodes: Sequence[EpisodeRecord], turns: int) -> Floats:
    """Words of each reply, episodes x turns, nan where there is none."""
    words = np.full((len(episodes), turns), np.nan)
    for row, episode in enumerate(episodes):
        for turn in episode.turns:
            if turn.reply.strip():
                words[row, turn.turn - 1] = len(split(turn.reply))
    return words


def mixed_slopes(adherence: Floats, words: Floats, groups: Sequence[str]) -> MixedSlopes:
    """The mixed model's slope four times: with and without reply length, with and without the closing turns."""
    inner = without_last(adherence, CLOSING_TURNS)
    return MixedSlopes(
        closing_turns=CLOSING_TURNS,
        all_turns=mixed_slope(adherence, groups),
        all_turns_beside_length=mixed_slope(adherence, groups, words),
        without_closing=mixed_slope(inner, groups),
        without_closing_beside_length=mixed_slope(inner, groups, words),
    )


def left_early(episodes: Sequence[EpisodeRecord]) -> Bools:
    """Which conversations their user left before the planned length; a loop of replies or an error is no leaving."""
    length = np.array([len(episode.turns) for episode in episodes], dtype=np.int64)
    planned = np.array([episode.spec.max_turns for episode in episodes], dtype=np.int64)
    closed = [
        episode.error is None and bool(episode.turns) and USER_LEFT in (episode.turns[-1].stop or "")
        for episode in episodes
    ]
    return user_left(length, planned, np.array(closed, dtype=np.bool_))


def _repetition(
    levels: Floats, scale: Scale, episodes: Sequence[EpisodeRecord], resamples: Resamples
) -> RepetitionResults:
    turns = levels.shape[1]
    replies = [[turn.reply for turn in episode.turns] for episode in episodes]
    said = [[turn.user for turn in episode.turns] for episode in episodes]
    sticky = stickiness(present_tactics((levels - scale.low) * (EXPRESSED.width / scale.width)))
    templates = template_share(replies, said, turns=turns)
    words = word_ids([reply for conversation in replies for reply in conversation])
    likeness = self_similarity(replies, turns=turns, words=words)
    by_turn = {"same_tactics": sticky.same_set, "template_share": templates.fits, "self_similarity": likeness}
    mean = partial(estimate, resamples=resamples)
    figures = {name: mean(present_mean(values, axis=1)) for name, values in by_turn.items()}
    figures["same_tactics_chance"] = mean(sticky.chance)
    figures["distinct_2"] = mean(distinct_n(replies, 2, words))
    curves = {f"{name}_by_turn": curve(mean_band(values, resamples)) for name, values in by_turn.items()}
    parts: dict[str, Any] = {**figures, **curves}
    return RepetitionResults(
        **parts,
        reused={name: mean(sticky.reused[:, index]) for index, name in enumerate(scale.dimensions)},
        templates=[count for _, count in templates.examples],
        notes={name: why for name, why in UNDEFINED.items() if figures[name].mean is None},
    )
