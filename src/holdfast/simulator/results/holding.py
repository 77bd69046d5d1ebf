"""What results.json says about whether a candidate holds: ``holding`` in each candidate's part."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from holdfast.personas.schema import MECHANISMS
from holdfast.simulator.conversation.stop import USER_LEFT
from holdfast.simulator.measure.arrays import Bools, Floats, present_mean
from holdfast.simulator.measure.bootstrap import Resamples, mean_band, mean_interval
from holdfast.simulator.measure.decay.change_point import change_point
from holdfast.simulator.measure.decay.exponential import DecayFit
from holdfast.simulator.measure.decay.profile import profile_decay
from holdfast.simulator.measure.decay.equivalence import LEVEL, equivalence
from holdfast.simulator.measure.decay.leaving import Incidence, leaving, user_left
from holdfast.simulator.measure.decay.mixed_slope import MixedSlope, mixed_slope, without_last
from holdfast.simulator.measure.text.ngrams import split, word_ids
from holdfast.simulator.measure.text.repetition import TEMPLATE_WORDS, distinct_n, self_similarity, template_share
from holdfast.simulator.measure.text.tactics import present_tactics, stickiness
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.shapes import as_dict, by_turn, survival_rows

#: Why a figure of repetition may be undefined.
UNDEFINED = {
    "same_tactics": "no conversation has two rated turns in a row",
    "same_tactics_chance": "no conversation has two rated turns",
    "template_share": f"no reply has {TEMPLATE_WORDS} words",
    "self_similarity": "no conversation has two replies with a pair of words",
    "distinct_2": "all replies together have fewer than two different pairs of words",
}
CLOSING_TURNS = 4  # goodbyes and thanks: in human support talk the last four explain part of the fall


def holding(
    adherence: Floats,
    change: Floats,
    expressed: Floats,
    episodes: Sequence[EpisodeRecord],
    *,
    fit: DecayFit,
    resamples: Resamples,
    rng: Callable[[str], np.random.Generator],
) -> dict[str, Any]:
    """All that is measured about one candidate's holding, nan where undefined.

    ``adherence``: episodes x turns; ``change``: last minus first quarter of each; ``expressed``: episodes x turns x 3;
    ``episodes``: in the rows' order; ``fit``: of the mean curve; ``rng``: a generator for a purpose.
    """
    groups = [episode.spec.persona for episode in episodes]
    words = reply_words(episodes, adherence.shape[1])
    return {
        "equivalence": _equivalence(change, resamples),
        "mixed_slope": mixed_slopes(adherence, words, groups),
        "reply_words_by_turn": by_turn(mean_band(words, resamples)),
        "exponential": _exponential(adherence, groups, fit),
        "change_point": asdict(change_point(adherence, groups, rng("change point"), draws=len(resamples.weights))),
        "leaving": _leaving(adherence, episodes),
        "repetition": _repetition(expressed, episodes, resamples),
    }


def _equivalence(change: Floats, resamples: Resamples) -> dict[str, Any]:
    found = equivalence(change, resamples)
    short = len(change) - found.n
    left_out = f"{short} of {len(change)} conversations did not reach the last quarter and are left out"
    return {**asdict(found), "note": found.note or (left_out if short else ""), "level": LEVEL}


def reply_words(episodes: Sequence[EpisodeRecord], turns: int) -> Floats:
    """Words of each reply, episodes x turns, nan where there is none."""
    words = np.full((len(episodes), turns), np.nan)
    for row, episode in enumerate(episodes):
        for turn in episode.turns:
            words[row, turn.turn - 1] = len(split(turn.reply))
    return words


def mixed_slopes(adherence: Floats, words: Floats, groups: Sequence[str]) -> dict[str, Any]:
    """The mixed model's slope four times: with and without reply length, with and without the closing turns."""
    inner = without_last(adherence, CLOSING_TURNS)
    return {
        "closing_turns": CLOSING_TURNS,
        "all_turns": _slope(mixed_slope(adherence, groups)),
        "all_turns_beside_length": _slope(mixed_slope(adherence, groups, words)),
        "without_closing": _slope(mixed_slope(inner, groups)),
        "without_closing_beside_length": _slope(mixed_slope(inner, groups, words)),
    }


def _slope(found: MixedSlope) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if name != "error"}


def _exponential(adherence: Floats, groups: Sequence[str], fit: DecayFit) -> dict[str, Any]:
    found = profile_decay(adherence, groups, fit)
    return {
        "half_life": {"mean": found.half_life, "lo": found.half_life_lo, "hi": found.half_life_hi},
        "floor": {"mean": found.floor, "lo": found.floor_lo, "hi": found.floor_hi},
        "note": found.note,
    }


def left_early(episodes: Sequence[EpisodeRecord]) -> Bools:
    """Which conversations their user left before the planned length; a loop of replies or an error is no leaving."""
    length = np.array([len(episode.turns) for episode in episodes], dtype=np.int64)
    planned = np.array([episode.spec.max_turns for episode in episodes], dtype=np.int64)
    closed = [
        episode.error is None and bool(episode.turns) and USER_LEFT in (episode.turns[-1].stop or "")
        for episode in episodes
    ]
    return user_left(length, planned, np.array(closed, dtype=np.bool_))


def _leaving(adherence: Floats, episodes: Sequence[EpisodeRecord]) -> dict[str, Any]:
    found = leaving(adherence, left_early(episodes))
    return {
        "n": found.n,
        "broken": found.broken,
        "left": found.left,
        "dropped": found.dropped,
        "survival_leaving_as_censoring": survival_rows(found.as_censoring),
        "survival_leaving_as_event": survival_rows(found.as_event),
        "incidence_broken": _incidence(found.incidence_broken),
        "incidence_left": _incidence(found.incidence_left),
    }


def _incidence(found: Incidence) -> list[dict[str, float]]:
    columns = zip(found.turn, found.share, found.lo, found.hi, strict=True)
    return [{"turn": turn, "share": share, "lo": lo, "hi": hi} for turn, share, lo, hi in columns]


def _repetition(expressed: Floats, episodes: Sequence[EpisodeRecord], resamples: Resamples) -> dict[str, Any]:
    turns = expressed.shape[1]
    replies = [[turn.reply for turn in episode.turns] for episode in episodes]
    said = [[turn.user for turn in episode.turns] for episode in episodes]
    sticky = stickiness(present_tactics(expressed))
    templates = template_share(replies, said, turns=turns)
    words = word_ids([reply for one in replies for reply in one])
    likeness = self_similarity(replies, turns=turns, words=words)
    curves = {"same_tactics": sticky.same_set, "template_share": templates.fits, "self_similarity": likeness}
    figures: dict[str, Any] = {}
    for name, values in curves.items():
        figures[name] = as_dict(mean_interval(present_mean(values, axis=1), resamples))
        figures[f"{name}_by_turn"] = by_turn(mean_band(values, resamples))
    figures["same_tactics_chance"] = as_dict(mean_interval(sticky.chance, resamples))
    figures["distinct_2"] = as_dict(mean_interval(distinct_n(replies, 2, words), resamples))
    return {
        **figures,
        "reused": {
            name: as_dict(mean_interval(sticky.reused[:, index], resamples)) for index, name in enumerate(MECHANISMS)
        },
        "templates": [count for _, count in templates.examples],
        "notes": {name: why for name, why in UNDEFINED.items() if math.isnan(figures[name]["mean"])},
    }
