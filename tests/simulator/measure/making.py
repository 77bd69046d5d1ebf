"""Small episodes with known contents, for the tests of measurement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdfast.agents.protocols import SENSE7, Intention
from holdfast.agents.raters.protocol import expressed
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord

TELL = Intention("tell")


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
) -> EpisodeRecord:
    """One turn per entry of ``levels``; everything else the same in each turn."""
    spec = EpisodeSpec(persona, task, candidate, seed, max_turns, agent=agent)
    turns = tuple(
        TurnRecord(
            episode_id=spec.id,
            turn=number,
            user=user,
            said=said,
            reply=reply,
            ratings={"linear": expressed(*level)},
            felt=dict.fromkeys(SENSE7, felt),
            emotion=50.0,
            state=state or {},
            recognised_task=recognised,
        )
        for number, level in enumerate(levels, start=1)
    )
    return EpisodeRecord(spec, turns, error)


def curve_episode(adherences: Sequence[float], **settings) -> EpisodeRecord:
    """An episode with the given adherence to the target (0, 0, 0): every mechanism at 2 (1 - adherence)."""
    return episode([(2 * (1 - a),) * 3 for a in adherences], **settings)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)
