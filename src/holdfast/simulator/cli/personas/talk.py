"""``holdfast persona talk``: watch a persona talk with a candidate before running a study."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.core.wording import how_many
from holdfast.personas.world import World, world_with
from holdfast.simulator.cli.console import SEED, console, print_json, world_options

if TYPE_CHECKING:
    from holdfast.simulator.records import TurnRecord
    from holdfast.simulator.runtime.session import Session


@click.command(
    epilog="""\b
Examples:
  holdfast persona talk jun_park
  holdfast persona talk me.yaml --turns 8 --candidate system_prompt
  holdfast persona talk me.yaml --seed 2 --json | jq .turns[].reply
  holdfast persona talk me.yaml --user-model hf:models/my-model
  holdfast persona talk jun_park --of runs/mine --candidate routed
  holdfast persona talk jun_park --model hf:my-model --prompt-file p.txt

Nothing is written to disk; the same seed gives the same conversation."""
)
@click.argument("who", metavar="ID|FILE")
@click.option(
    "--turns", type=click.IntRange(1, 1000), default=4, show_default=True, help="At most; the user may leave."
)
@click.option("--candidate", help="Who replies: a candidate of --of, or a kind. Default: base, or the first of --of.")
@click.option("--of", type=click.Path(path_type=Path), help="A study's file, or a run's folder with its adapters.")
@click.option("--model", metavar="REF", help="The model that replies; the study's, or the embedded one, if left out.")
@click.option("--prompt-file", type=click.Path(path_type=Path, dir_okay=False), help="A system prompt of your own.")
@click.option("--user-model", metavar="REF", help="A model that plays the persona; without it, rules do.")
@world_options
@click.option("--seed", type=SEED, default=0, show_default=True, help="Everything random comes from it.")
@click.option("--json", "as_json", is_flag=True, help="Print the conversation as JSON on standard output.")
@click.option("--quiet", "-q", is_flag=True, help="Print only what the two say.")
def talk(who: str, user_model: str | None, as_json: bool, quiet: bool, seed: int, turns: int, **how: Any) -> None:
    """Hear a persona talk with a candidate, and see what it feels."""
    world = world_with(how["own_tasks"], how["own_patterns"])
    users = "embedded" if user_model is None else {"kind": "model", "model": user_model}
    settings = {"turns": turns, "seed": seed, "users": users, "leave": True}
    session = _session(
        (how["of"], how["model"], how["candidate"], how["prompt_file"], who, settings), world, quiet=quiet
    )
    from holdfast.simulator.cli.personas.lines import ConversationPrinter, left_because

    persona = session.plan.person(session.plan.episodes[0])
    candidate = session.plan.study.candidates[0].name
    played_by = "" if user_model is None else f", played by {user_model},"
    printer = ConversationPrinter(console(), small_print=not quiet)
    records: list[TurnRecord] = []
    if not (as_json or quiet):
        printer.line("", f"{persona.name} ({persona.task}){played_by} talks with {candidate}")

    async def on_turn(record: TurnRecord) -> None:
        records.append(record)
        if not as_json:
            printer.turn(record)

    waits = printer.console.is_terminal and not (as_json or quiet)
    with printer.console.status("waiting for the next turn") if waits else nullcontext():
        asyncio.run(_hold(session, on_turn))
    counts: dict[str, Any] = {} if user_model is None else {"user_model": user_model, "counts": _counts(records[-1])}
    if as_json:
        about = {"persona": persona.id, "task": persona.task, "candidate": candidate, "seed": seed}
        print_json({**about, **counts, "turns": _as_json(records), "left": left_because(records[-1])})
    elif counts and not quiet:
        own = [len(records) - counts["counts"].get(f"stand_in_{what}", 0) for what in ("messages", "judgements")]
        turns_in_words = how_many(len(records), "turn")
        said = f"{user_model} found its own words in {own[0]} of {turns_in_words}, judged in {own[1]} itself"
        printer.line("", said)


def _session(talks: tuple[Any, ...], world: World, *, quiet: bool) -> Session:
    """Return a study of the one conversation, with its models loaded."""
    from holdfast.simulator.runtime.one_talk import OneTalk  # brings torch

    talk = OneTalk(*talks)
    plan = talk.plan(world)
    if not (quiet or sys.stderr.isatty()):
        click.echo("loading models ...", err=True)
    with console(stderr=True).status("loading models") if sys.stderr.isatty() and not quiet else nullcontext():
        return asyncio.run(talk.open(plan))


def _counts(last: TurnRecord) -> dict[str, int]:
    """Return how often the user's model was called, repaired or replaced."""
    from holdfast.agents.users.llm.memory import KEY

    return dict(last.state["extra"][KEY]["counts"])


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
            "expressed": dict(record.primary.counted),
            "disqualified": record.primary.disqualified,
            "felt": dict(record.felt),
            "felt_mean": overall(record.felt),
            "emotion": record.emotion,
        }
        for record in records
    ]
