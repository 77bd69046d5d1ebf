"""Small episodes with known contents, for the tests of measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from holdfast.agents.assistants.specs import CandidateSpec
from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.protocol import EXPRESSED, expressed
from holdfast.agents.registry import kinds, parse
from holdfast.agents.users.protocol import Intention
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord
from holdfast.simulator.results.model import RaterInfo

TELL = Intention("tell")
PRIMARY = RaterInfo(name="linear", id="linear", version="1", role="primary", scale=EXPRESSED)
WITNESS = PRIMARY.model_copy(update={"name": "judge", "id": "judge-1", "role": "witness"})


def specs(names: Iterable[str]) -> list[CandidateSpec]:
    """A candidate of each name: of the kind that the name says, else an adapter."""
    given = [{"kind": name if name in kinds() else "adapter", "name": name} for name in dict.fromkeys(names)]
    return [parse(spec | ({"adapter": "warm"} if spec["kind"] == "adapter" else {})) for spec in given]


def episode(
    levels: Sequence[tuple[float, float, float]],
    *,
    candidate="routed",
    persona="ana",
    task="burnout",
    seed=0,
    max_turns=8,
    felt=3.0,
    error=None,
    said=TELL,
    user="hello",
    reply="hi",
    recognised=None,
    state=None,
    agent="",
    stop=None,
    served=(),
    ratings=(),
) -> EpisodeRecord:
    """One turn per entry of ``levels``; everything else the same in each turn.

    ``stop``: why the last turn was the last; ``served``: the goals that each turn serves, from the first on;
    ``ratings``: those of other raters, by name, for each turn.
    """
    spec = EpisodeSpec(persona, task, candidate, seed, max_turns, agent=agent)
    turns = tuple(
        TurnRecord(
            episode_id=spec.id,
            turn=number,
            user=user,
            said=said,
            reply=reply,
            ratings={"linear": expressed(*level), **(ratings[number - 1] if ratings else {})},
            felt=dict.fromkeys(SENSE7, felt),
            emotion=50.0,
            state=state or {},
            recognised_task=recognised,
            stop=stop if number == len(levels) else None,
            goals_served=tuple(served[number - 1]) if number <= len(served) else (),
        )
        for number, level in enumerate(levels, start=1)
    )
    return EpisodeRecord(spec, turns, error)


def curve_episode(adherences: Sequence[float], **settings) -> EpisodeRecord:
    """An episode with the given adherence to the target (0, 0, 0): every mechanism at 2 (1 - adherence)."""
    return episode([(2 * (1 - a),) * 3 for a in adherences], **settings)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def coverage(
    make: Callable[[np.random.Generator], Estimate], truth: float, times: int, seed: int = 0
) -> tuple[float, float, float]:
    """The share of ``times`` draws with limits; how often these cover ``truth``, and their median width."""
    random = rng(seed)
    limits = [(each.lo, each.hi) for each in (make(random) for _ in range(times)) if each.bounded]
    lo, hi = np.array(limits, dtype=float).T
    return len(limits) / times, float(((lo <= truth) & (truth <= hi)).mean()), float(np.median(hi - lo))
