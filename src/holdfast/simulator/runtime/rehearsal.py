"""What a study will take: counts from its plan; tokens, hours and money from a short rehearsal."""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from holdfast.agents.assistants.specs import BaseSpec, CandidateSpec
from holdfast.agents.models.usage import Usage
from holdfast.core.errors import ModelError
from holdfast.core.wording import how_many
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.engine.budget import BudgetSpec
from holdfast.simulator.engine.run import run_study
from holdfast.simulator.journal.store import read_episodes
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.runtime.adapters import adapters_in, check_adapters
from holdfast.simulator.runtime.prompt_rehearsal import rehearse_prompts
from holdfast.simulator.runtime.resources import open_resources
from holdfast.simulator.runtime.session import session_of

TURNS, CONVERSATIONS = 4, 8  # of the rehearsal: turns of a conversation, and conversations of each candidate


@dataclass(frozen=True, slots=True)
class CandidateForecast:
    """One candidate's share. Tokens are those of its own requests, summed over the turns; None without a rehearsal."""

    name: str
    conversations: int
    turns: int
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a study comes to.

    Attributes:
        hours: Of the conversations, at the pace of the rehearsal; None without one. Training is not in it.
        cost_usd: Of all models with ``prices``, users' and judges' among them; None where none has any.
        notes: What the figures rest on, and what they leave out.
    """

    conversations: int
    turns: int
    candidates: tuple[CandidateForecast, ...]
    hours: float | None = None
    cost_usd: float | None = None
    notes: tuple[str, ...] = ()


async def forecast(study: StudyConfig, *, rehearse: bool = True, turns: int = TURNS) -> Forecast:
    """Count what ``study`` asks for; with ``rehearse``, hold a few short conversations to see what they take.

    Raises:
        InputError: The study cannot be run as it is.
        ModelError: A model cannot be loaded, or no conversation of the rehearsal came to an end.
    """
    plan = resolve(study)
    lengths = {name: [s.max_turns for s in plan.episodes if s.candidate == name] for name in study.candidate_names}
    counted = [CandidateForecast(name, len(planned), sum(planned)) for name, planned in lengths.items()]
    whole = Forecast(len(plan.episodes), sum(each.turns for each in counted), tuple(counted))
    if not rehearse:
        return whole
    check_adapters(plan)
    short = _rehearsal_of(study, turns)
    with tempfile.TemporaryDirectory() as scratch:
        resources = await asyncio.to_thread(open_resources, short)
        with closing(resources):
            await rehearse_prompts(plan, resources.references)
            ready = await resources.with_adapters(*adapters_in(study.adapters, plan))
            session = session_of(ready.with_exchanges(study.adapters))
            outcome = await run_study(session, Path(scratch))
        episodes = read_episodes(outcome.journal)
    if outcome.failure is not None or not outcome.episodes:
        raise ModelError(f"the rehearsal has failed: {outcome.failure or 'no conversation came to an end'}")
    candidates = tuple(_with_tokens(each, lengths[each.name], episodes) for each in counted)
    hours = outcome.seconds / outcome.turns * whole.turns / 3600
    cost, notes = _cost(session.usage, candidates, episodes), _notes(plan, short, outcome.turns)
    return replace(whole, candidates=candidates, hours=hours, cost_usd=cost, notes=notes)


def _rehearsal_of(study: StudyConfig, turns: int) -> Plan:
    """A few short conversations of every candidate; one that waits for a training is its base model."""
    candidates = tuple(
        BaseSpec(name=spec.name, model=spec.model, sampling=spec.sampling) if _waits(study, spec) else spec
        for spec in study.arms
    )
    once = {"lengths": (), "replicates": 1, "rounds": 1, "population": None, "training": None, "budget": BudgetSpec()}
    changes = {**once, "candidates": candidates, "turns": min(turns, *study.all_lengths)}
    plan = resolve(study.model_copy(update=changes))
    of_each = {name: [s for s in plan.episodes if s.candidate == name] for name in study.candidate_names}
    return replace(plan, episodes=tuple(s for specs in of_each.values() for s in specs[:CONVERSATIONS]))


def _waits(study: StudyConfig, spec: CandidateSpec) -> bool:
    """Whether the study is still to train what the candidate speaks through or from."""
    return study.training is not None and (spec.trained or spec.needs_dialogues or spec.needs_router)


def _with_tokens(
    candidate: CandidateForecast, lengths: Sequence[int], episodes: Sequence[EpisodeRecord]
) -> CandidateForecast:
    """Prompt tokens by a straight line over the turns (the history grows by a turn each), replies by their mean."""
    seen = [turn for episode in episodes if episode.spec.candidate == candidate.name for turn in episode.turns]
    if not seen:
        return candidate
    numbers, prompts, replies = np.array([(turn.turn, *turn.tokens) for turn in seen], dtype=float).T
    slope, start = np.polyfit(numbers, prompts, 1) if len(set(numbers)) > 1 else (0.0, prompts.mean())
    totals = [max(0.0, start * n + slope * n * (n + 1) / 2) for n in lengths]
    return replace(candidate, prompt_tokens=round(sum(totals)), completion_tokens=round(replies.mean() * sum(lengths)))


def _cost(
    usage: Sequence[Usage], candidates: Sequence[CandidateForecast], episodes: Sequence[EpisodeRecord]
) -> float | None:
    """What the rehearsal cost, scaled as the candidates' tokens are; None where no model has prices."""
    costs = [
        (each.prompt_tokens * each.prices.prompt, each.completion_tokens * each.prices.completion)
        for each in usage
        if each.prices is not None
    ]
    if not costs:
        return None
    spent = np.array([turn.tokens for episode in episodes for turn in episode.turns], dtype=float).sum(axis=0)
    wanted = [(each.prompt_tokens or 0, each.completion_tokens or 0) for each in candidates]
    growth = np.array(wanted, dtype=float).sum(axis=0) / np.maximum(spent, 1.0)
    return float((np.array(costs) * growth).sum() / 1e6)


def _notes(plan: Plan, short: Plan, turns: int) -> tuple[str, ...]:
    size = f"{how_many(turns, 'turn')} in {how_many(len(short.episodes), 'conversation')}"
    notes = [f"rehearsed: {size}; hours are at their pace"]
    study, at_once = plan.study, min(plan.study.conversations_at_once, len(short.episodes))
    most = min(study.conversations_at_once, len(plan.episodes))
    if most > at_once:
        notes.append(
            f"the rehearsal held {how_many(at_once, 'conversation')} at once, the study holds {most}: "
            "a server that serves more at once will be faster"
        )
    notes.append("late turns have a longer history: tokens are extrapolated by turn, hours are not")
    if study.training is not None:
        trained = ", ".join(spec.name for spec in study.candidates if _waits(study, spec))
        notes.append(f"training is not in it; {trained or 'experts'} stood in as the base model")
    return tuple(notes)
