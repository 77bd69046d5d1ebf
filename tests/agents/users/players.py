"""Chat models by script that play users: well, badly, or just as they are told."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from holdfast.agents.protocols import SENSE7, Generation, GenerationRequest
from holdfast.core.seeds import derive_seed


def intention_in(request: GenerationRequest) -> str:
    """What the speaking prompt says the message is for."""
    (found,) = re.findall(r"^Write .*'s next message\. In it: (.*)$", request.messages[-1].content, re.MULTILINE)
    return str(found)


def id_in(request: GenerationRequest) -> str:
    """What the judging prompt says the answer's "id" must be."""
    return re.findall(r'^\{"id": "(\w+)"', request.messages[-1].content, re.MULTILINE)[-1]


def is_judging(request: GenerationRequest) -> bool:
    return request.key.endswith("/feel")


def monologue(request: GenerationRequest, **changes: object) -> str:
    """A judgement in order, drawn from the request's seed."""
    rng = random.Random(derive_seed("player", request.seed))
    answer = {
        "id": id_in(request),
        "thought": rng.choice(["It listens.", "It does not get me.", "Fine."]),
        "emotion_change": rng.randint(-10, 10),
        "felt": {name: rng.randint(1, 5) for name in SENSE7},
        "goal": rng.choice(["none", "some", "done"]),
        "leave": False,
    }
    return json.dumps(answer | changes)


def in_first_person(intention: str) -> str:
    """Words that say all that they are for."""
    text = re.sub(r"\byou (feel|were|stop)", r"I \1", intention.removesuffix("."))
    return f"Well, to say it plainly: {text}."


@dataclass
class Player:
    """Answers at once. ``speaks`` and ``judges`` make the text of an answer; ``requests`` keeps what it was asked."""

    speaks: Callable[[GenerationRequest], str] = lambda request: in_first_person(intention_in(request))
    judges: Callable[[GenerationRequest], str] = monologue
    id: str = "player"
    requests: list[GenerationRequest] = field(default_factory=list)

    async def generate(self, request: GenerationRequest) -> Generation:
        self.requests.append(request)
        text = self.judges(request) if is_judging(request) else self.speaks(request)
        return Generation(text, prompt_tokens=100, completion_tokens=10)


def nonsense(request: GenerationRequest) -> str:
    """Text that is neither a user's message nor a judgement."""
    rng = random.Random(request.seed)
    return " ".join(rng.choice(["fern", "{", "}", '"id"', "kettle", "5,", "0x1f", "¿", "null"]) for _ in range(40))
