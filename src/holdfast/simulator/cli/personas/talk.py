"""``holdfast persona talk``: hear a persona speak with a candidate, before any study is run."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from holdfast.personas.loading import library
from holdfast.personas.schema import Persona
from holdfast.simulator.cli.console import console, print_json

if TYPE_CHECKING:
    from holdfast.simulator.engine.run import Troupe
    from holdfast.simulator.config.plan import Plan
    from holdfast.simulator.records import TurnRecord

#: Candidates that need no trained adapter.
UNTRAINED = ("base", "system_prompt", "system_prompt_with_reminder")


def talk_with(
    who: str,
    persona: Persona,
    *,
    turns: int,
    candidate: str,
    seed: int,
    as_json: bool,
    quiet: bool,
    user_model: str | None = None,
) -> None:
    """Hold one conversation and print it as it goes; nothing is written to disk.

    ``who``: how the user named ``persona``, an id of the library or a file. ``user_model``: the reference of a model
    that plays it.

    Raises:
        ModelError: the model cannot be loaded, or the conversation grows longer than it can read.
    """
    import asyncio

    with _loading(quiet=quiet):
        from holdfast.adapters.micro import base_path
        from holdfast.agents.models.references import resolve as known_model
        from holdfast.simulator.runtime.resources import open_resources
        from holdfast.simulator.config.plan import resolve
        from holdfast.simulator.config.study import PersonaChoice, StudyConfig

        if user_model is not None:
            known_model(user_model, base_path())
        choice = PersonaChoice(ids=(who,)) if who in library() else PersonaChoice(files=(who,))
        spec: Any = candidate
        users: Any = "embedded" if user_model is None else {"kind": "model", "model": user_model}
        study = StudyConfig(
            personas=choice, candidates=(spec,), users=users, turns=turns, seed=seed, leave=True, batch_size=1
        )
        plan = resolve(study)
        troupe = open_resources(study).troupe(plan, router=None)
    from holdfast.simulator.cli.personas.lines import ConversationPrinter, left_because

    teller = ConversationPrinter(console(), small_print=not quiet)
    held: list[TurnRecord] = []
    if not (as_json or quiet):
        teller.line("", f"{persona.name} ({persona.task}) talks with {candidate}")

    async def on_turn(record: TurnRecord) -> None:
        held.append(record)
        if not as_json:
            teller.turn(record)

    asyncio.run(_hold(plan, troupe, on_turn))
    if user_model is not None and not (as_json or quiet):
        counts = _counts(held)
        own = len(held) - counts.get("stand_in_messages", 0), len(held) - counts.get("stand_in_judgements", 0)
        teller.line("", f"{user_model} found its own words in {own[0]} of {len(held)} turns, judged in {own[1]} itself")
    if as_json:
        about = {"persona": persona.id, "task": persona.task, "candidate": candidate, "seed": seed}
        played = {} if user_model is None else {"user_model": user_model, "counts": _counts(held)}
        print_json({**about, **played, "turns": _as_json(held), "left": left_because(held[-1])})


def _counts(held: Sequence[TurnRecord]) -> dict[str, int]:
    """What it took to let a model play the user."""
    from holdfast.agents.users.llm.memory import KEY

    return dict(held[-1].state["extra"][KEY]["counts"])


async def _hold(plan: Plan, troupe: Troupe, on_turn: Callable[[TurnRecord], Awaitable[None]]) -> None:
    """The plan's only episode, from its first turn to its last."""
    from holdfast.simulator.conversation.participants import Participants, opening
    from holdfast.simulator.conversation.graph import config, graph
    from holdfast.simulator.engine.run import stop_rule

    (episode,) = plan.episodes
    cast = Participants(
        spec=episode,
        task=plan.tasks[episode.task],
        user=troupe.user(episode, plan.personas[episode.persona]),
        candidate=troupe.candidates[episode.candidate],
        raters=troupe.raters,
        stop=stop_rule(episode, leave=plan.study.leave),
        on_turn=on_turn,
        study_seed=plan.study.seed,
    )
    await graph.ainvoke(opening(cast), config(episode.max_turns), context=cast)


def _as_json(held: Sequence[TurnRecord]) -> list[dict[str, object]]:
    """The turns without the user's inner state; the model's words exactly as it wrote them."""
    from dataclasses import asdict

    from holdfast.agents.users.appraisal import overall

    return [
        {
            "turn": record.turn,
            "user": record.user,
            "reply": record.reply,
            "expressed": dict(record.primary.values),
            "felt": dict(record.felt),
            "felt_mean": overall(record.felt),
            "emotion": record.emotion,
        }
        for record in held
    ]


@contextmanager
def _loading(*, quiet: bool) -> Iterator[None]:
    """Say on standard error that the model is being loaded: a spinner in a terminal, a line in a pipe."""
    what = "loading the embedded model"
    if quiet:
        yield
    elif sys.stderr.isatty():
        with console(stderr=True).status(what):
            yield
    else:
        click.echo(f"{what} ...", err=True)
        yield
