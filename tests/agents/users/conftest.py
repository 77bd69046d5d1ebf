"""Someone to test with, and assistants that follow a fixed policy."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.protocol import Felt, Intention, Spoken, UserState
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Goal, Persona, Temperament

Policy = Callable[[Persona, Intention, random.Random], tuple[str, Rating]]

STEPS = ["make a short list", "try it once", "check the dates", "pick a date", "read it out loud"]


@dataclass(frozen=True)
class Turn:
    spoken: Spoken
    reply: str
    felt: Felt


@pytest.fixture
def ada() -> Persona:
    return Persona(
        id="ada",
        name="Ada",
        task="plan_project",
        background="41, lighthouse keeper in Uist who counts gannets.",
        speech="plain",
        temperament=Temperament(reactivity=0.5, stickiness=0.6, warmth=0.5),
        goals=(
            Goal(id="sort", need="sort the slides", topic="the slide deck"),
            Goal(id="check", need="check the numbers", topic="the budget report", after=("sort",)),
            Goal(id="plan", need="plan the talk", topic="the team meeting", after=("sort", "check")),
        ),
        feelings=("anxious", "tired", "stuck"),
        topics=("the old laptop", "the night shift", "my sleep"),
        desired_empathy=2,
        patience=3,
    )


def _noisy(rng: random.Random, *levels: float) -> Rating:
    return expressed(*(min(2.0, max(0.0, level + rng.gauss(0, 0.15))) for level in levels))


def plain(persona: Persona, said: Intention, rng: random.Random) -> tuple[str, Rating]:
    subject = said.topic or said.need or "that"
    return f"For {subject}, first {rng.choice(STEPS)}. Then {rng.choice(STEPS)}.", _noisy(rng, 0, 0.1, 0)


def middling(persona: Persona, said: Intention, rng: random.Random) -> tuple[str, Rating]:
    subject = said.topic or "that"
    text = (
        f"It makes sense to feel {said.feeling or 'so'} about {subject}. For {subject}, you could {rng.choice(STEPS)}."
    )
    return text, _noisy(rng, 1, 2, 0)


def caring(persona: Persona, said: Intention, rng: random.Random) -> tuple[str, Rating]:
    subject = said.topic or "that"
    text = f"I am so sorry that you feel {said.feeling or 'so'} about {subject}. What part of {subject} is the worst?"
    return text, _noisy(rng, 2, 1, 1)


def careless(persona: Persona, said: Intention, rng: random.Random) -> tuple[str, Rating]:
    return rng.choice(["I see.", "Noted.", "All right then."]), _noisy(rng, 0, 0, 0)


def fitting(persona: Persona, said: Intention, rng: random.Random) -> tuple[str, Rating]:
    return {1: plain, 2: middling, 3: caring}[persona.desired_empathy](persona, said, rng)


def erratic(persona: Persona, said: Intention, rng: random.Random) -> tuple[str, Rating]:
    return rng.choice([plain, middling, caring, careless])(persona, said, rng)


POLICIES: dict[str, Policy] = {
    "plain": plain,
    "middling": middling,
    "caring": caring,
    "careless": careless,
    "fitting": fitting,
    "erratic": erratic,
}

Converse = Callable[..., list[Turn]]


@pytest.fixture(scope="session")
def converse() -> Converse:
    """Hold one conversation with a policy of :data:`POLICIES`: ``converse(persona, policy, seed, turns)``."""

    async def hold(persona: Persona, policy: str, seed: int, turns: int, user: EmbeddedUser | None) -> list[Turn]:
        agent = user or EmbeddedUser(persona)
        rng = random.Random(derive_seed(persona.id, policy, seed))
        state: UserState = agent.begin(derive_seed(persona.id, seed))
        history = []
        for turn in range(1, turns + 1):
            spoken = await agent.speak(state, (), derive_seed(persona.id, seed, turn, "speak"))
            reply, expressed = POLICIES[policy](persona, spoken.said, rng)
            felt = await agent.feel(
                spoken.state, spoken.said, reply, expressed, derive_seed(persona.id, seed, turn, "feel")
            )
            history.append(Turn(spoken, reply, felt))
            state = felt.state
        return history

    def run(
        persona: Persona, policy: str, seed: int = 0, turns: int = 24, user: EmbeddedUser | None = None
    ) -> list[Turn]:
        return asyncio.run(hold(persona, policy, seed, turns, user))

    return run
