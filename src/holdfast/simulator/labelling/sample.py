"""Which replies people are asked about: drawn by stratum, each with a known chance above 0.

A stratum is a candidate in one quarter of its conversations, and, where a study has a witness on the primary rater's
scale, the third of those replies over which the two disagree most. All candidates and quarters get the same number of
labels; replies that raters disagree over are drawn twice as often. The chances are kept beside the sample, and the
estimates weigh by them.

Replies that the gate stopped adhere 0 whoever judges them, so nobody is asked about those for adherence. How they were
felt is another question, for which they are drawn like all others.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from holdfast.core.errors import InputError
from holdfast.core.seeds import derive_seed
from holdfast.core.wording import how_many
from holdfast.simulator.measure.decay.retention import quarter_of
from holdfast.simulator.records import EpisodeRecord, TurnRecord

Reply = tuple[str, int]  # episode id and turn
ODD_SHARE = 3  # one in so many replies of a stratum counts as disagreed over
ODD_WEIGHT = 2  # and is drawn so many times as often


class SampledReply(BaseModel):
    """A reply to ask about. ``inclusion``: the chance with which it was drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    episode: str
    turn: Annotated[int, Field(ge=1)]
    stratum: str
    inclusion: Annotated[float, Field(gt=0, le=1)]

    @property
    def reply(self) -> Reply:
        """Which reply it is."""
        return self.episode, self.turn


def is_stopped(turn: TurnRecord) -> bool:
    """Whether the gate stopped a reply, so that its adherence is 0 and no label changes it."""
    return turn.primary.disqualified is not None


def stopped_replies(episodes: Iterable[EpisodeRecord]) -> frozenset[Reply]:
    """Return the replies that the gate stopped."""
    return frozenset((each.spec.id, turn.turn) for each in episodes for turn in each.turns if is_stopped(turn))


def draw_sample(
    episodes: Iterable[EpisodeRecord],
    count: int,
    seed: int,
    *,
    gated: bool = True,
    before: Collection[Reply] = (),
) -> list[SampledReply]:
    """Draw ``count`` replies with text, in the random order in which they are asked about.

    The same seed draws the same order in each stratum, so a larger sample holds every smaller one. Each stratum gives
    at least one reply.

    Args:
        gated: Leave out what the gate stopped.
        before: What was drawn by the same seed before, stopped or not: what may still be drawn of it is drawn again.

    Raises:
        InputError: There is no reply, or ``count`` is less than one of each stratum.
    """
    strata = draw_order(episodes, seed, gated=gated)
    most = sum(map(len, strata.values()))
    if not most:
        raise InputError(f"the run holds no reply to label{', or none that the gate lets through' if gated else ''}")
    if count < len(strata):
        raise InputError(f"{how_many(count, 'label')} cannot cover {len(strata)} strata; ask for {len(strata)} or more")
    asked = set(before)
    sizes = allocated(strata, min(count, most), {name: len(asked & set(of)) for name, of in strata.items()})
    drawn = []
    for name, replies in sorted(strata.items()):
        chance = sizes[name] / len(replies)
        chosen = replies[: sizes[name]]
        drawn += [SampledReply(episode=id, turn=turn, stratum=name, inclusion=chance) for id, turn in chosen]
    order = np.random.default_rng(derive_seed(seed, "labels", "order")).permutation(len(drawn))
    return [drawn[place] for place in order]


def draw_order(episodes: Iterable[EpisodeRecord], seed: int, *, gated: bool = True) -> dict[str, list[Reply]]:
    """Return each stratum's replies, in the random order in which they are drawn; without what the gate stopped, where
    ``gated``.

    Those stand in one order with all others, so that a sample from the time when they were drawn can be added to.
    """
    episodes = list(episodes)
    left_out = stopped_replies(episodes) if gated else frozenset()
    strata = {}
    for name, replies in _strata(episodes).items():
        order = np.random.default_rng(derive_seed(seed, "labels", name)).permutation(len(replies))
        strata[name] = [reply for place in order if (reply := replies[place]) not in left_out]
    return {name: replies for name, replies in strata.items() if replies}


def _strata(episodes: Iterable[EpisodeRecord]) -> dict[str, list[Reply]]:
    """Stratum -> its replies, ordered by episode and turn."""
    cells: dict[str, list[tuple[str, int, float]]] = defaultdict(list)
    for episode in sorted(episodes, key=lambda each: each.spec.id):
        for turn in episode.turns:
            if turn.reply.strip():
                quarter = quarter_of(turn.turn, episode.spec.max_turns)
                name = f"{episode.spec.candidate}, quarter {quarter}"
                cells[name].append((episode.spec.id, turn.turn, _disagreement(turn)))
    strata = {}
    for name, replies in cells.items():
        known = sorted(odd for _, _, odd in replies if not math.isnan(odd))
        bound = known[-(len(known) // ODD_SHARE)] if len(known) >= ODD_SHARE and known[0] < known[-1] else math.inf
        strata[name] = [(id, turn) for id, turn, odd in replies if not odd >= bound]
        strata[f"{name}, raters disagree"] = [(id, turn) for id, turn, odd in replies if odd >= bound]
    return {name: replies for name, replies in strata.items() if replies}


def _disagreement(turn: TurnRecord) -> float:
    """Mean distance between the primary rater and the witness that is furthest from it, over what both rate."""
    primary, *witnesses = [rating.values for rating in turn.ratings.values()] or [{}]
    apart = [
        sum(abs(primary[name] - values[name]) for name in shared) / len(shared)
        for values in witnesses
        if (shared := primary.keys() & values.keys())
    ]
    return max(apart, default=math.nan)


def allocated(
    strata: Mapping[str, Sequence[object]], count: int, least: Mapping[str, int] = MappingProxyType({})
) -> dict[str, int]:
    """Return how many to draw of each stratum: one, or ``least``, and the rest where most is missing to its part."""
    cells: dict[str, float] = defaultdict(float)
    weight = {name: len(replies) * (ODD_WEIGHT if "disagree" in name else 1) for name, replies in strata.items()}
    for name in strata:
        cells[_cell(name)] += weight[name]
    share = {name: weight[name] / cells[_cell(name)] for name in strata}
    sizes = {name: max(1, least.get(name, 0)) for name in sorted(strata)}
    for _ in range(count - sum(sizes.values())):
        open_strata = [name for name in sizes if sizes[name] < len(strata[name])]
        sizes[min(open_strata, key=lambda name: ((sizes[name] + 0.5) / share[name], name))] += 1
    return sizes


def _cell(stratum: str) -> str:
    return stratum.removesuffix(", raters disagree")
