"""What the engine itself costs: CPU a turn, throughput over a slow endpoint, and the journal's bytes a turn."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from holdfast.agents.protocols import AssistantView, Message
from holdfast.agents.raters.protocol import primary_of
from holdfast.agents.turn import rate_reply
from holdfast.core.seeds import derive_seed
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.engine.run import Troupe
from holdfast.simulator.records import EpisodeSpec
from tests.bench.measure import Measure
from tests.bench.people import Instant, hold, plan, troupe

LATENCY_S = 0.2
AT_ONCE = 256


def orchestration(*, scripted: bool, conversations: int = 64, turns: int = 24) -> Measure:
    """CPU a turn with a model that answers at once: the engine (graph, journal, progress) and a bare loop."""
    study = plan(conversations, turns)
    people = troupe(study, Instant(), scripted=scripted)
    hold(plan(4, 4), people)  # warm
    ours = min(hold(study, people).cpu_ms_per_turn for _ in range(3))
    bare = min(bare_cpu_ms_per_turn(study, people) for _ in range(3))
    who = "scripted people" if scripted else "a study's own users and rater"
    goal = "at most 2 ms" if scripted else ""
    return Measure(f"a turn with {who}, instant model", ours, "the same people in a bare loop", bare, "ms", goal)


def bare_cpu_ms_per_turn(study: Plan, people: Troupe) -> float:
    """The same conversations in the shortest loop that holds them: nothing is kept, resumed, counted or traced."""
    began = time.process_time()

    async def all_of_them() -> None:
        await asyncio.gather(*(bare_conversation(spec, study, people) for spec in study.episodes))

    asyncio.run(all_of_them())
    return 1000 * (time.process_time() - began) / sum(spec.max_turns for spec in study.episodes)


async def bare_conversation(spec: EpisodeSpec, study: Plan, people: Troupe) -> None:
    user, candidate = people.user_for(study.personas[spec.persona]), people.candidates[spec.candidate]
    state, messages = user.begin(derive_seed(spec.id)), ()
    for turn in range(1, spec.max_turns + 1):
        spoken = await user.speak(state, messages, derive_seed(spec.id, turn, "speak"))
        messages = (*messages, Message("user", spoken.text))
        view = AssistantView(spec.id, turn, messages, derive_seed(spec.id, turn, "reply"))
        answer = await candidate.reply(view)
        messages = (*messages, Message("assistant", answer.text))
        ratings = await rate_reply(people.raters, messages[:-1], answer.text)
        felt = await user.feel(
            spoken.state, spoken.said, answer.text, primary_of(ratings), derive_seed(spec.id, turn, "feel")
        )
        state = felt.state


def slow_endpoint(*, scripted: bool, turns: int = 20) -> Measure:
    """256 conversations at once over 200 ms of latency. Ideal: nothing but the endpoint takes time.

    The one measure in wall-clock seconds: beside other programs it shows less than the engine can do, so the CPU
    seconds that it took are told too.
    """
    study = plan(AT_ONCE, turns, concurrency=AT_ONCE)
    people = troupe(study, Instant(latency=LATENCY_S), scripted=scripted)
    took = hold(study, people)
    ideal = turns * LATENCY_S
    who = "scripted people" if scripted else "a study's own users and rater"
    what = f"{AT_ONCE} conversations over {1000 * LATENCY_S:.0f} ms of latency, {who} ({took.cpu:.1f} s of CPU)"
    return Measure(what, took.wall, "the endpoint's time alone", ideal, "s", "ratio at least 0.85")


def journal_bytes(scratch: Path, short: int = 10, long: int = 200) -> Measure:
    """Bytes a turn in the journal of long conversations against short ones, the same number of turns in all."""
    sizes = []
    for turns in (long, short):
        study = plan(4 * long // turns * 2, turns)
        out = scratch / f"journal-{turns}"
        took = hold(study, troupe(study, Instant(), scripted=False), out)
        sizes.append((out / "journal.sqlite").stat().st_size / took.turns)
    return Measure(f"journal, a turn of {long}", sizes[0], f"a turn of {short}", sizes[1], "bytes", "ratio 0.8 to 1.2")


def measures(scratch: Path) -> list[Measure]:
    """All of this module's comparisons."""
    return [
        orchestration(scripted=True),
        orchestration(scripted=False),
        slow_endpoint(scripted=True),
        slow_endpoint(scripted=False),
        journal_bytes(scratch),
    ]
