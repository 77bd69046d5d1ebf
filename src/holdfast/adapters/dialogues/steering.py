"""Simulate short dialogues in which a prompt and best-of-n sampling steer the model towards an empathy pattern.

The system prompt states the pattern in words and is removed before training, so that the adapter learns to do without
the prompt what the prompt asked for: context distillation (Askell et al. 2021, arXiv 2112.00861; Snell et al. 2022,
arXiv 2209.15189). Best-of-n by a rater before fine-tuning is rejection sampling as for Llama 2 (Touvron et al. 2023,
arXiv 2307.09288).
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from holdfast.adapters.dialogues.filtering import Flaw, Standard, flaws, says_again
from holdfast.adapters.dialogues.prompting import SteeringPrompt
from holdfast.agents.protocols import ChatModel, Generation, GenerationRequest, Message, Sampling
from holdfast.agents.raters.adherence import adherence_of
from holdfast.agents.raters.protocol import EXPRESSED, Passage, Rater, Rating
from holdfast.agents.sentences import whole_sentences
from holdfast.agents.turn import OpenedTurn, close_turn, open_turn
from holdfast.agents.users.protocol import Intention, UserAgent
from holdfast.core.errors import HoldfastError
from holdfast.core.seeds import derive_seed


@dataclass(frozen=True, slots=True)
class DialoguePlan:
    """One dialogue to simulate. All its random draws follow from ``seed``; ``steering`` None: the bare model."""

    id: str  # unique among concurrent dialogues
    agent: UserAgent
    standard: Standard
    seed: int
    turns: int
    steering: SteeringPrompt | None = None
    samples: int = 1
    retries: int = 0  # how often as many are drawn again while none is without a flaw
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class DrawnReply:
    """A reply that was drawn for a turn, cut after its last whole sentence."""

    reply: str
    rating: Rating
    adherence: float  # in [0, 1]; nan where the reply could not be rated
    flaws: tuple[Flaw, ...]
    seed: int
    tokens: tuple[int, int] = (0, 0)  # of the prompt, examples among them, and of what was written


@dataclass(frozen=True, slots=True)
class SteeredTurn:
    """A user message and the replies drawn for it, of which the dialogue goes on with number ``best``."""

    turn: int  # 1-based
    user: str
    said: Intention
    samples: tuple[DrawnReply, ...]
    best: int  # from 0

    @property
    def kept(self) -> DrawnReply:
        """The sample that the dialogue goes on with."""
        return self.samples[self.best]

    @property
    def reply(self) -> str:
        return self.kept.reply

    @property
    def rating(self) -> Rating:
        return self.kept.rating

    @property
    def adherence(self) -> float:
        return self.kept.adherence

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        return self.kept.flaws

    @property
    def seed(self) -> int:
        return self.kept.seed


@dataclass(frozen=True, slots=True)
class SteeredDialogue:
    """The turns that came of a plan, and in ``error`` why the model failed after them, if it did."""

    plan: DialoguePlan
    turns: tuple[SteeredTurn, ...]
    error: str | None = None


async def hold_dialogue(
    plan: DialoguePlan, model: ChatModel, rater: Rater, on_turn: Callable[[], None] | None = None
) -> SteeredDialogue:
    """Simulate one dialogue to its last turn, or until the model fails. ``on_turn()`` is called after each turn.

    A user who would leave stays on, as in a study by default, so that all dialogues have the same length.
    """
    turns: list[SteeredTurn] = []
    messages: tuple[Message, ...] = ()
    state = plan.agent.begin(derive_seed(plan.seed, "begin"))
    try:
        for number in range(1, plan.turns + 1):
            opened = await open_turn(plan.agent, state, messages, derive_seed(plan.seed, number, "user"))
            spoiled = any(earlier.flaws for earlier in turns)
            best = await _draw_turn(plan, number, opened, spoiled, model=model, rater=rater)
            ratings = {rater.identity.id: best.rating}
            turn = await close_turn(plan.agent, opened, best.reply, ratings, derive_seed(plan.seed, number, "feel"))
            turns.append(best)
            messages, state = turn.messages, turn.felt.state
            if on_turn is not None:
                on_turn()
    except HoldfastError as error:
        return SteeredDialogue(plan, tuple(turns), str(error))
    return SteeredDialogue(plan, tuple(turns))


async def _draw_turn(
    plan: DialoguePlan, number: int, opened: OpenedTurn, spoiled: bool, *, model: ChatModel, rater: Rater
) -> SteeredTurn:
    """Draw replies and keep the best: see :func:`_rank`. While none is without a flaw, as many are drawn again.

    ``spoiled``: an earlier turn had no usable reply, so that this one is not learned from whatever it is. A writer with
    words of its own, which may be slow, then gives one reply to hear what the user says next.
    """
    count = 1 if spoiled and plan.standard.own_words else plan.samples
    samples: tuple[DrawnReply, ...] = ()
    for attempt in range(1 if spoiled else 1 + plan.retries):
        numbers = range(attempt * count, (attempt + 1) * count)
        samples += await _draw(plan, number, opened, numbers, model=model, rater=rater)
        if any(not sample.flaws for sample in samples):
            break
    best = max(range(len(samples)), key=lambda place: _rank(samples[place]))
    return SteeredTurn(number, opened.spoken.text, opened.spoken.said, samples, best)


async def _draw(
    plan: DialoguePlan, number: int, opened: OpenedTurn, numbers: range, *, model: ChatModel, rater: Rater
) -> tuple[DrawnReply, ...]:
    """Draw the replies with these ``numbers``, cut each after its last sentence, and judge it."""
    shown = opened.messages if plan.steering is None else plan.steering.around(opened.messages)
    seeds = [derive_seed(plan.seed, number, "assistant", sample) for sample in numbers]
    requests = [
        GenerationRequest(key=f"{plan.id}/{place}", messages=shown, seed=seed, sampling=plan.sampling)
        for place, seed in enumerate(seeds)
    ]
    drawn: list[Generation] = await asyncio.gather(*map(model.generate, requests))
    replies = [whole_sentences(generation.text) for generation in drawn]
    rated = await rater.rate([Passage((*opened.messages, Message("assistant", reply))) for reply in replies])
    return tuple(_judged(plan, opened, *each) for each in zip(replies, drawn, rated, seeds, strict=True))


def _judged(
    plan: DialoguePlan, opened: OpenedTurn, reply: str, drawn: Generation, rating: Rating, seed: int
) -> DrawnReply:
    """Return a drawn reply with all that is wrong with it."""
    earlier = [message.content for message in opened.messages if message.role == "assistant"]
    shown = () if plan.steering is None else plan.steering.example_replies
    wrong = flaws(
        opened.spoken.said,
        reply,
        rating,
        plan.standard,
        finished=drawn.outcome in ("answered", "cut") and bool(reply) == bool(drawn.text.strip()),
        again=plan.standard.own_words and says_again(reply, opened.spoken.text, (*earlier, *shown)),
    )
    near = float(adherence_of([rating], plan.standard.target.as_array(), EXPRESSED)[0])
    return DrawnReply(reply, rating, near, wrong, seed, (drawn.prompt_tokens, drawn.completion_tokens))


def _rank(sample: DrawnReply) -> tuple[bool, int, float]:
    """Order samples, the best last: the gate comes first, then fewer flaws, then adherence to the pattern."""
    stopped = sample.rating.disqualified is not None
    return not stopped, -len(sample.flaws), -math.inf if math.isnan(sample.adherence) else sample.adherence
