"""Simulate preference pairs: replies steered towards the task's pattern against replies without steering.

At every turn replies are drawn with and without the steering prompt and rated; the most and the least adherent make a
pair. The dialogue goes on with a random reply, so that pairs follow good and bad histories.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from holdfast.adapters.config import RewardTraining
from holdfast.adapters.dialogues.export import ChatLine
from holdfast.adapters.dialogues.preferences import PreferencePair
from holdfast.adapters.dialogues.prompting import SteeringPrompt
from holdfast.adapters.dialogues.writing import TrainingPeople
from holdfast.adapters.progress import all_of
from holdfast.agents.models.history import without_silence
from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.protocols import ChatModel, GenerationRequest, Message, Sampling
from holdfast.agents.raters.adherence import adherence_of
from holdfast.agents.raters.protocol import EXPRESSED, Passage, Rater, Rating
from holdfast.agents.turn import close_turn, open_turn
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Persona


@dataclass(frozen=True, slots=True)
class PairSource:
    """The people who talk, the model that replies, the rater that prefers, and the settings."""

    world: TrainingPeople
    model: ChatModel
    rater: Rater
    config: RewardTraining


async def collect_pairs(
    source: PairSource, seed: int, on_done: Callable[[int, int], None] | None = None
) -> list[PreferencePair]:
    """Return pairs from every persona of both sides of the split, in the order of personas and dialogues.

    Raises:
        ModelError: the model fails; an incomplete set would depend on where it failed.
    """
    people = (*source.world.split.train, *source.world.split.test)
    plans = [(persona, number) for persona in people for number in range(source.config.dialogues_per_persona)]
    talks = await all_of(lambda plan: _hold(source, *plan, seed), plans, source.config.concurrency, on_done)
    return [pair for pairs in talks for pair in pairs]


async def _hold(source: PairSource, persona: Persona, number: int, seed: int) -> list[PreferencePair]:
    key, seed = f"{persona.id}/{number}", derive_seed(seed, "pairs", persona.id, number)
    agent, pairs = source.world.agent_for(persona), list[PreferencePair]()
    messages: tuple[Message, ...] = ()
    state = agent.begin(derive_seed(seed, "begin"))
    target = source.world.patterns[source.world.tasks[persona.task].pattern].expressed.as_array()
    for turn_number in range(1, source.config.turns + 1):
        opened = await open_turn(agent, state, messages, derive_seed(seed, turn_number, "user"))
        asked = without_silence(opened.messages)
        replies = await _draw(source, persona, asked, key, derive_seed(seed, turn_number, "assistant"))
        rated = await source.rater.rate([Passage((*asked, Message("assistant", reply))) for reply in replies])
        levels = adherence_of(rated, target, EXPRESSED).tolist()
        pair = _pair(source, persona, asked, replies, rated, levels)
        if pair is not None:
            pairs.append(pair)
        kept = Random(derive_seed(seed, turn_number, "kept")).randrange(len(replies))
        ratings = {source.rater.identity.id: rated[kept]}
        turn = await close_turn(agent, opened, replies[kept], ratings, derive_seed(seed, turn_number, "feel"))
        messages, state = turn.messages, turn.felt.state
    return pairs


async def _draw(source: PairSource, persona: Persona, messages: Sequence[Message], key: str, seed: int) -> list[str]:
    """Draw ``samples`` replies with the pattern's prompt right before the newest message, and as many without."""
    config = source.config
    pattern = source.world.patterns[source.world.tasks[persona.task].pattern]
    prompt = SteeringPrompt(again=pattern_prompt(pattern))
    sampling = Sampling(temperature=config.temperature, max_tokens=config.max_tokens)
    requests = [
        GenerationRequest(f"{key}/{kind}/{n}", shown, derive_seed(seed, kind, n), sampling=sampling)
        for kind, shown in (("steered", prompt.around(messages)), ("bare", tuple(messages)))
        for n in range(config.samples)
    ]
    generations = await asyncio.gather(*map(source.model.generate, requests))
    return [generation.text for generation in generations]


def _pair(
    source: PairSource,
    persona: Persona,
    messages: Sequence[Message],
    replies: Sequence[str],
    ratings: Sequence[Rating],
    levels: Sequence[float],
) -> PreferencePair | None:
    """Pair the most and the least adherent of the replies with words whose adherence is known; None where they are too
    close. A disqualified reply is never chosen."""
    known = [number for number, level in enumerate(levels) if replies[number].strip() and not math.isnan(level)]
    fit = [number for number in known if ratings[number].disqualified is None]
    if not fit:
        return None
    best, worst = max(fit, key=levels.__getitem__), min(known, key=levels.__getitem__)
    margin = levels[best] - levels[worst]
    if margin < source.config.min_margin:
        return None
    return PreferencePair(
        prompt=tuple(ChatLine.model_validate(message.as_dict()) for message in messages),
        chosen=(ChatLine(role="assistant", content=replies[best]),),
        rejected=(ChatLine(role="assistant", content=replies[worst]),),
        persona=persona.id,
        task=persona.task,
        margin=round(margin, 4),
        source=f"adherence by {source.rater.identity.id} {source.rater.identity.version}",
    )
