"""Simulate short dialogues in which a prompt and best-of-n sampling steer the model towards an empathy pattern.

The system prompt states the pattern in words and is removed before training, so that the adapter learns to do without
the prompt what the prompt asked for: context distillation (Askell et al. 2021, arXiv 2112.00861; Snell et al. 2022,
arXiv 2209.15189). Best-of-n by a rater before fine-tuning is rejection sampling as for Llama 2 (Touvron et al. 2023,
arXiv 2307.09288).
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from holdfast.adapters.dialogues.filtering import Flaw, Standard, flaws
from holdfast.adapters.progress import all_of
from holdfast.agents.protocols import (
    ChatModel,
    Generation,
    GenerationRequest,
    Intention,
    Message,
    Sampling,
    UserAgent,
)
from holdfast.agents.raters.adherence import adherence_of
from holdfast.agents.raters.protocol import EXPRESSED, Passage, Rater, Rating
from holdfast.agents.turn import OpenedTurn, close_turn, open_turn
from holdfast.core.errors import HoldfastError
from holdfast.core.seeds import derive_seed


@dataclass(frozen=True, slots=True)
class DialoguePlan:
    """One dialogue to simulate. All its random draws follow from ``seed``; ``system`` None: no steering."""

    id: str  # unique among concurrent dialogues
    agent: UserAgent
    standard: Standard
    seed: int
    turns: int
    system: str | None = None
    samples: int = 1
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class SteeredTurn:
    """A user message and the best of the replies drawn for it."""

    turn: int  # 1-based
    user: str
    said: Intention
    reply: str
    rating: Rating
    adherence: float  # in [0, 1]; nan where the reply could not be rated
    flaws: tuple[Flaw, ...]
    seed: int  # of the reply that was kept


@dataclass(frozen=True, slots=True)
class SteeredDialogue:
    """The turns that came of a plan, and in ``error`` why the model failed after them, if it did."""

    plan: DialoguePlan
    turns: tuple[SteeredTurn, ...]
    error: str | None = None


async def hold_dialogue(plan: DialoguePlan, model: ChatModel, rater: Rater) -> SteeredDialogue:
    """Simulate one dialogue to its last turn, or until the model fails.

    A user who would leave stays on, as in a study by default, so that all dialogues have the same length.
    """
    turns: list[SteeredTurn] = []
    messages: tuple[Message, ...] = ()
    state = plan.agent.begin(derive_seed(plan.seed, "begin"))
    try:
        for number in range(1, plan.turns + 1):
            opened = await open_turn(plan.agent, state, messages, derive_seed(plan.seed, number, "user"))
            best = await _best_reply(plan, number, opened, model=model, rater=rater)
            ratings = {rater.identity.id: best.rating}
            turn = await close_turn(plan.agent, opened, best.reply, ratings, derive_seed(plan.seed, number, "feel"))
            turns.append(best)
            messages, state = turn.messages, turn.felt.state
    except HoldfastError as error:
        return SteeredDialogue(plan, tuple(turns), str(error))
    return SteeredDialogue(plan, tuple(turns))


async def _best_reply(
    plan: DialoguePlan, number: int, opened: OpenedTurn, *, model: ChatModel, rater: Rater
) -> SteeredTurn:
    """Draw ``plan.samples`` replies; return the first of the most adherent among those with the fewest flaws."""
    shown = steered(opened.messages, plan.system)
    seeds = [derive_seed(plan.seed, number, "assistant", sample) for sample in range(plan.samples)]
    requests = [
        GenerationRequest(key=f"{plan.id}/{sample}", messages=shown, seed=seed, sampling=plan.sampling)
        for sample, seed in enumerate(seeds)
    ]
    drawn: list[Generation] = await asyncio.gather(*map(model.generate, requests))
    passages = [Passage((*opened.messages, Message("assistant", generation.text))) for generation in drawn]
    said, target = opened.spoken.said, plan.standard.target.as_array()
    candidates = [
        SteeredTurn(
            turn=number,
            user=opened.spoken.text,
            said=said,
            reply=generation.text,
            rating=rating,
            adherence=float(adherence_of([rating], target, EXPRESSED)[0]),
            flaws=flaws(said, generation.text, rating, plan.standard, finished=generation.outcome == "answered"),
            seed=seed,
        )
        for generation, rating, seed in zip(drawn, await rater.rate(passages), seeds, strict=True)
    ]
    return max(
        candidates, key=lambda turn: (-len(turn.flaws), -math.inf if math.isnan(turn.adherence) else turn.adherence)
    )


def steered(messages: Sequence[Message], prompt: str | None) -> tuple[Message, ...]:
    """Return the conversation with the prompt right before its newest message.

    It is repeated every turn because a prompt at the start only would lose its hold within the dialogue.
    """
    if prompt is None:
        return tuple(messages)
    return (*messages[:-1], Message("system", prompt), messages[-1])


async def hold_dialogues(
    plans: Sequence[DialoguePlan],
    model: ChatModel,
    rater: Rater,
    concurrency: int,
    on_done: Callable[[int, int], None] | None = None,
) -> list[SteeredDialogue]:
    """Simulate many dialogues, ``concurrency`` at a time, and return them in the order of the plans.

    ``on_done(done, total)`` is called at once and after each dialogue.
    """
    return await all_of(lambda plan: hold_dialogue(plan, model, rater), plans, concurrency, on_done)
