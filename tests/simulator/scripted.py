"""Test doubles by design: a model, a user and a rater that answer from a hash of what they are given."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from holdfast.agents.assistants.candidates import Router
from holdfast.agents.assistants.exchange_store import StoredExchange
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.protocols import SENSE7, Generation, GenerationRequest, Message, Sampling
from holdfast.agents.raters.protocol import EXPRESSED, Passage, Rater, RaterIdentity, Rating, Scale, expressed
from holdfast.agents.raters.specs import RaterSpec
from holdfast.agents.users.protocol import Felt, Intention, Spoken, UserState
from holdfast.core.errors import ModelError
from holdfast.personas.schema import EmpathyPattern, Goal, MechanismLevels, Persona, TaskContext
from holdfast.simulator.records import derive_seed
from tests.passages import reply_of

WORDS = ("sorry", "hear", "that", "sounds", "heavy", "try", "one", "small", "step", "what", "worries", "you", "most")


def sentence(seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(8)) + "."


@dataclass
class HashModel:
    """Answers at once (or after a random pause); ``requests`` keeps what it was asked. Its words hang on everything."""

    id: str = "hash"
    pause: float = 0.0
    fail: str = ""  # requests whose key contains it fail
    requests: list[GenerationRequest] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0

    async def generate(self, request: GenerationRequest) -> Generation:
        self.requests.append(request)
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        try:
            await asyncio.sleep(random.random() * self.pause)  # truly random: nothing may depend on it
        finally:
            self.busy -= 1
        if self.fail and self.fail in request.key:
            raise ModelError(f"no answer for {request.key}")
        lines = tuple((message.role, message.content) for message in request.messages)
        text = sentence(derive_seed(request.seed, request.adapter, request.sampling, lines))
        return Generation(text, prompt_tokens=8 * len(lines), completion_tokens=8)


@dataclass(frozen=True)
class ScriptedUser:
    """Speaks of its topics by seed; leaves after ``leaves_after`` turns."""

    persona: Persona
    leaves_after: int = 10_000

    def begin(self, seed: int) -> UserState:
        goals = tuple(goal.id for goal in self.persona.goals)
        desired = 2.0 * self.persona.desired_empathy - 1
        return UserState(50.0, 0.0, goals, self.persona.feelings, self.persona.topics, desired, math.nan)

    async def speak(self, state: UserState, messages: Sequence[Message], seed: int) -> Spoken:
        rng = random.Random(seed)
        topic, feeling = rng.choice(self.persona.topics), rng.choice(self.persona.feelings)
        said = Intention("feel", feeling, topic)
        return Spoken(f"I feel {feeling} about {topic}.", said, replace(state, last_said=said))

    async def feel(self, state: UserState, said: Intention, reply: str, expressed: Rating, seed: int) -> Felt:
        rng = random.Random(derive_seed(seed, reply))
        dimensions = {name: 1 + 4 * rng.random() for name in SENSE7}
        mean = sum(dimensions.values()) / len(dimensions)
        turns = state.turns + 1
        before = 0.0 if math.isnan(state.felt_mean) else state.felt_mean * state.turns
        emotion = min(100.0, max(0.0, state.emotion + 10 * (mean - state.desired)))
        after = replace(state, emotion=emotion, felt_mean=(before + mean) / turns, turns=turns)
        return Felt(dimensions, after, "enough" if turns >= self.leaves_after else None)


@dataclass(frozen=True)
class HashRater:
    identity: RaterIdentity = field(default_factory=lambda: RaterIdentity("hash", "1"))
    scale: Scale = EXPRESSED

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return [
            expressed(*(2 * random.Random(derive_seed(reply_of(passage), i)).random() for i in range(3)))
            for passage in passages
        ]


def persona(id: str = "amira", task: str = "bug_hunt", **changes: object) -> Persona:
    fields = {
        "id": id,
        "name": id.title(),
        "task": task,
        "background": f"{id} fixes things.",
        "speech": "plain",
        "goals": (Goal(id="find", need="find the bug", topic="the parser"),),
        "feelings": ("anxious", "tired", "hopeful"),
        "topics": ("the parser", "the release", "the review"),
        "desired_empathy": 2,
    }
    return Persona.model_validate(fields | changes)


def pattern(id: str, er: float, ip: float, ex: float, advice: int) -> EmpathyPattern:
    target = MechanismLevels(emotional_reaction=er, interpretation=ip, exploration=ex)
    return EmpathyPattern(id=id, title=id, description="d", assumption="a", target=target, advice=advice)  # type: ignore[arg-type]


def task(id: str, pattern: str) -> TaskContext:
    three = ("one", "two", "three")
    return TaskContext(id=id, title=id, description="d", assumption="a", pattern=pattern, topics=three, needs=three)


PATTERNS = {"solver": pattern("solver", 0, 0, 0, 2), "companion": pattern("companion", 2, 1, 1, 0)}
TASKS = {"bug_hunt": task("bug_hunt", "solver"), "burnout": task("burnout", "companion")}


@dataclass(frozen=True)
class ScriptedResources:
    """What candidates are built from, with one model and one rater for all."""

    only: HashModel
    tasks: Mapping[str, TaskContext] = field(default_factory=lambda: TASKS)
    patterns: Mapping[str, EmpathyPattern] = field(default_factory=lambda: PATTERNS)
    router: Router | None = None
    sampling: Sampling = field(default_factory=Sampling)
    tested: frozenset[str] = frozenset()
    exchanges: tuple[StoredExchange, ...] = tuple(
        StoredExchange(situation=f"I said {word}.", reply=f"You said {word}?") for word in WORDS
    )
    chooser: Rater = HashRater()

    def rater(self, spec: RaterSpec) -> Rater:
        return self.chooser

    bears_turns: bool = True  # whether the model's chat template takes turns of an assistant before the conversation

    def model(self, spec: ModelSpec | None) -> HashModel:
        return self.only

    def bears(self, spec: ModelSpec | None, messages: Sequence[Message]) -> bool:
        return self.bears_turns or all(message.role != "assistant" for message in messages)
