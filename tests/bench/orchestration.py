"""What the engine itself costs: CPU a turn, throughput over a slow endpoint, and the journal's bytes a turn."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from holdfast.agents.protocols import AssistantView, Message
from holdfast.agents.raters.protocol import primary_of
from holdfast.agents.turn import rate_reply
from holdfast.core.seeds import derive_seed
from holdfast.simulator.records import EpisodeSpec
from holdfast.simulator.runtime.session import Session
from tests.bench.measure import Measure
from tests.bench.own_core import OwnCoreLoop
from tests.bench.people import Cost, Instant, hold, plan, session

LATENCY_S = 1.0  # of a real endpoint under load
AT_ONCE = 256


def orchestration(*, scripted: bool, conversations: int = 64, turns: int = 24) -> Measure:
    """CPU a turn with a model that answers at once: the engine (graph, journal, progress) and a bare loop."""
    people = session(plan(conversations, turns), Instant(), scripted=scripted)
    hold(session(plan(4, 4), Instant(), scripted=scripted))  # warm
    ours = min(hold(people).cpu_ms_per_turn for _ in range(3))
    bare = min(bare_cpu_ms_per_turn(people) for _ in range(3))
    goal = "at most 2 ms" if scripted else ""
    return Measure(
        f"a turn with {who(scripted)}, instant model", ours, "the same people in a bare loop", bare, "ms", goal
    )


def who(scripted: bool) -> str:
    """The people of a session, in words."""
    return "scripted people" if scripted else "a study's own users and rater"


def bare_cpu_ms_per_turn(people: Session) -> float:
    """The same conversations in the shortest loop that holds them: nothing is kept, resumed, counted or traced."""
    began = time.process_time()
    episodes = people.plan.episodes

    async def all_of_them() -> None:
        await asyncio.gather(*(bare_conversation(spec, people) for spec in episodes))

    asyncio.run(all_of_them())
    return 1000 * (time.process_time() - began) / sum(spec.max_turns for spec in episodes)


async def bare_conversation(spec: EpisodeSpec, people: Session) -> None:
    user, candidate = people.user_for(spec, people.plan.personas[spec.persona]), people.candidates[spec.candidate]
    state, messages = user.begin(derive_seed(spec.id)), ()
    for turn in range(1, spec.max_turns + 1):
        spoken = await user.speak(state, messages, derive_seed(spec.id, turn, "speak"))
        messages = (*messages, Message("user", spoken.text))
        view = AssistantView(spec.id, turn, messages, derive_seed(spec.id, turn, "reply"))
        answer = await candidate.reply(view)
        messages = (*messages, Message("assistant", answer.text))
        rating = primary_of(await rate_reply(people.raters, messages[:-1], answer.text))
        felt = await user.feel(spoken.state, spoken.said, answer.text, rating, derive_seed(spec.id, turn, "feel"))
        state = felt.state


def slow_endpoint(*, scripted: bool, turns: int = 20) -> list[Measure]:
    """256 conversations over a second of latency, on a core of their own. Ideal: only the endpoint takes time."""
    people = session(plan(AT_ONCE, turns, concurrency=AT_ONCE), Instant(latency=LATENCY_S), scripted=scripted)
    took = hold(people, loop_factory=OwnCoreLoop)
    return throughput(f"{AT_ONCE} conversations over {LATENCY_S:g} s of latency, {who(scripted)}", took, turns)


def throughput(what: str, took: Cost, turns: int) -> list[Measure]:
    """The time that it took beside the endpoint's alone, and our CPU a turn."""
    ideal = turns * LATENCY_S
    return [
        Measure(what, took.wall, "the endpoint's time alone", ideal, "s", "ratio at least 0.85"),
        Measure(f"{what}: CPU a turn", took.cpu_ms_per_turn, "the goal", 2.0, "ms", "at most 2 ms"),
    ]


def journal_bytes(scratch: Path, short: int = 10, long: int = 200) -> Measure:
    """Bytes a turn in the journal of long conversations against short ones, the same number of turns in all."""
    sizes = []
    for turns in (long, short):
        out = scratch / f"journal-{turns}"
        took = hold(session(plan(4 * long // turns * 2, turns), Instant(), scripted=False), out)
        sizes.append((out / "journal.sqlite").stat().st_size / took.turns)
    return Measure(f"journal, a turn of {long}", sizes[0], f"a turn of {short}", sizes[1], "bytes", "ratio 0.8 to 1.2")


def measures(scratch: Path) -> list[Measure]:
    """All of this module's comparisons."""
    return [
        orchestration(scripted=True),
        orchestration(scripted=False),
        *slow_endpoint(scripted=True),
        *slow_endpoint(scripted=False),
        journal_bytes(scratch),
    ]
