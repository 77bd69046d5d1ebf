"""A night's batch, 6 candidates x 1,000 episodes x 100 turns, is summarised in well under a minute: 1,000 resamples."""

import time
from dataclasses import replace

import numpy as np
import pytest

from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.protocol import expressed
from holdfast.agents.users.protocol import Intention
from holdfast.personas.schema import MECHANISMS
from holdfast.simulator.measure.extract import extract
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord
from holdfast.simulator.results.candidates import candidate_results
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.holding import holds_results
from tests.simulator.measure.making import PRIMARY, rng, specs

EPISODES, TURNS, CANDIDATES, PERSONAS = 1000, 100, 6, 24


def many_turns(draw):
    """One conversation; episodes below share a few of them, which saves memory and changes no work."""
    said = Intention("feel", feeling="tired", topic="my report")
    return tuple(
        TurnRecord(
            episode_id="any",
            turn=turn,
            user="I am tired of my report, and nothing that I try makes it any shorter.",
            said=said,
            reply="It is tiring to sit over your report for so long. What part of it is the hardest?",
            ratings={"linear": expressed(**dict(zip(MECHANISMS, draw.uniform(0, 2, 3), strict=True)))},
            felt=dict(zip(SENSE7, draw.uniform(1, 5, 7), strict=True)),
            emotion=50.0,
            state={"desired": 3.0},
        )
        for turn in range(1, TURNS + 1)
    )


@pytest.mark.slow
def test_six_candidates_of_1000_episodes_and_100_turns():
    draw = rng()
    conversations = [many_turns(draw) for _ in range(20)]
    spec = EpisodeSpec("p", "t", "c", 0, TURNS)
    episodes = [
        EpisodeRecord(
            replace(spec, persona=f"p{i % PERSONAS}", task=f"t{i % 8}", candidate=f"c{candidate}", replicate=i),
            conversations[int(draw.integers(20))],
        )
        for candidate in range(CANDIDATES)
        for i in range(EPISODES)
    ]
    feelings = [f"feeling{i}" for i in range(60)]
    context = ResultsContext(
        {f"t{i}": (0.0, 1.0, 2.0) for i in range(8)},
        [PRIMARY],
        {f"p{i}": ["goal"] for i in range(PERSONAS)},
        feelings,
        rng_seed=0,
        draws=1000,
    )

    started = time.process_time()
    transcripts_sha256(episodes)
    hashed = time.process_time()
    measured = {name: MeasuredCandidate.of(arrays, context) for name, arrays in extract(episodes, {}).items()}
    extracted = time.process_time()
    (spec_of,) = specs(["base"])
    verdicts = holds_results(measured, [], "c0", context)
    for name, each in measured.items():
        results = candidate_results(spec_of, each, measured["c0"], context, verdicts[name])
        assert results.naming.n == EPISODES * TURNS
    summarised = time.process_time()
    print(f"hash {hashed - started:.1f} s, arrays {extracted - hashed:.1f} s, figures {summarised - extracted:.1f} s")
    assert np.isfinite(measured["c5"].gap).all()
    assert summarised - started < 60
