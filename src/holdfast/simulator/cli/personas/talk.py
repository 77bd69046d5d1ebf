"""``holdfast persona talk``: watch a persona talk with a candidate before running a study."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from holdfast.personas.loading import library
from holdfast.personas.schema import Persona
from holdfast.simulator.cli.console import console, print_json

if TYPE_CHECKING:
    from holdfast.simulator.records import TurnRecord
    from holdfast.simulator.runtime.session import Session


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
    """Simulate one conversation and print it as it goes; nothing is written to disk.

    ``who``: the id or file by which the user named ``persona``. ``user_model``: the reference of a model that plays it.

    Raises:
        ModelError: the model cannot be loaded, or the conversation grows longer than it can read.
    """
    import asyncio

    session = _session(who, turns=turns, candidate=candidate, seed=seed, quiet=quiet, user_model=user_model)
    from holdfast.simulator.cli.personas.lines import ConversationPrinter, left_because

    printer = ConversationPrinter(console(), small_print=not quiet)
    records: list[TurnRecord] = []
    if not (as_json or quiet):
        printer.line("", f"{persona.name} ({persona.task}) talks with {candidate}")

    async def on_turn(record: TurnRecord) -> None:
        records.append(record)
        if not as_json:
            printer.turn(record)

    asyncio.run(_hold(session, on_turn))
    if user_model is not None and not (as_json or quiet):
        counts, turns = _counts(records), len(records)
        own = turns - counts.get("stand_in_messages", 0), turns - counts.get("stand_in_judgements", 0)
        printer.line("", f"{user_model} found its own words in {own[0]} of {turns} turns, judged in {own[1]} itself")
    if as_json:
        about = {"persona": persona.id, "task": persona.task, "candidate": candidate, "seed": seed}
        played = {} if user_model is None else {"user_model": user_model, "counts": _counts(records)}
        print_json({**about, **played, "turns": _as_json(records), "left": left_because(records[-1])})


def _session(who: str, *, turns: int, candidate: str, seed: int, quiet: bool, user_model: str | None) -> Session:
    """Return a study of the one conversation, with its models loaded."""
    with _loading(quiet=quiet):
        from holdfast.adapters.micro import base_path
        from holdfast.agents.models.references import resolve_model
        from holdfast.simulator.config.plan import resolve
        from holdfast.simulator.config.study import StudyConfig
        from holdfast.simulator.runtime.resources import open_resources

        if user_model is not None:
            resolve_model(user_model, base_path())
        settings = {
            "personas": {"ids": (who,)} if who in library() else {"files": (who,)},
            "candidates": (candidate,),
            "users": "embedded" if user_model is None else {"kind": "model", "model": user_model},
            "turns": turns,
            "seed": seed,
            "leave": True,
            "batch_size": 1,
        }
        return open_resources(resolve(StudyConfig.model_validate(settings))).session()


def _counts(records: Sequence[TurnRecord]) -> dict[str, int]:
    """Return how often the user's model was called, repaired or replaced."""
    from holdfast.agents.users.llm.memory import KEY

    return dict(records[-1].state["extra"][KEY]["counts"])


async def _hold(session: Session, on_turn: Callable[[TurnRecord], Awaitable[None]]) -> None:
    """Simulate the session's only episode, from its first turn to its last."""
    from holdfast.simulator.conversation.graph import config, graph
    from holdfast.simulator.conversation.participants import opening

    (episode,) = session.plan.episodes
    participants = session.participants(episode, on_turn)
    await graph.ainvoke(opening(participants), config(episode.max_turns), context=participants)


def _as_json(records: Sequence[TurnRecord]) -> list[dict[str, object]]:
    """Return the turns without the user's inner state; the texts as the models wrote them."""
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
        for record in records
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
