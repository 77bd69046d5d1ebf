"""``holdfast chat``: talk with a candidate, or be the assistant of a persona; kept as a log that ``measure`` reads."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.core.errors import InputError, ModelError
from holdfast.core.text import visible
from holdfast.personas.world import world_with
from holdfast.simulator.cli.console import SEED, console, world_options

if TYPE_CHECKING:
    from holdfast.agents.raters.protocol import Rating
    from holdfast.simulator.config.plan import Plan
    from holdfast.simulator.records import EpisodeSpec, TurnRecord
    from holdfast.simulator.runtime.session import Session

MOST_TURNS = 10_000


@click.command(
    epilog="""\b
Examples:
  holdfast chat                                     with the embedded model
      (which knows a small world only: "I feel tired because of my boss.")
  holdfast chat runs/mine --candidate routed        with a run's adapters
  holdfast chat study.yaml --candidate system_prompt
  holdfast chat --model hf:models/my-model --prompt-file kind.txt
  holdfast chat --as assistant --persona jun_park   you reply to a persona
  holdfast measure chat-*.jsonl                     and what it comes to

/quit, Ctrl-D or Ctrl-C ends the talk; /help says more. Each turn is in the log before the next begins."""
)
@click.argument("source", metavar="[STUDY|RUN]", required=False, type=click.Path(path_type=Path))
@click.option("--model", metavar="REF", help="A model: hf:FOLDER, openai:NAME, …; in the place of the study's.")
@click.option("--candidate", help="A candidate of the study by name, or a kind. Default: base, or the study's first.")
@click.option("--prompt-file", type=click.Path(path_type=Path, dir_okay=False), help="A system prompt of your own.")
@click.option("--as", "place", type=click.Choice(["user", "assistant"]), default="user", show_default=True)
@click.option("--persona", metavar="ID|FILE", help="Who the user is; where you are the user, whose task it is.")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="The log; a new file, or chat-TIME.jsonl.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Everything random comes from it.")
@click.option("--quiet", "-q", is_flag=True, help="Print only what the two say.")
@world_options
def chat(source: Path | None, place: str, log: Path | None, quiet: bool, seed: int, **how: Any) -> None:
    """Talk with a candidate, with each reply's ratings beside it; or reply to a persona and see what it feels."""
    from holdfast.simulator.runtime.one_talk import OneTalk  # brings torch

    log = log or Path(f"chat-{datetime.now():%Y%m%d-%H%M%S}.jsonl")
    if log.exists():
        raise InputError(f"{log} is there already; name another --log")
    if not log.parent.is_dir():
        raise InputError(f"--log: {log.parent}: no such folder; make it first, or name another --log")
    settings: Mapping[str, Any] = {"turns": MOST_TURNS, "seed": seed, "leave": place == "assistant"}
    if place == "assistant" and (given := [name for name in ("candidate", "prompt_file", "model") if how[name]]):
        raise InputError(f"with --as assistant you reply yourself; leave out --{given[0].replace('_', '-')}")
    candidate = how["candidate"] if place == "user" else "base"
    talk = OneTalk(source, how["model"], candidate, how["prompt_file"], how["persona"], settings)
    plan = talk.plan(world_with(how["own_tasks"], how["own_patterns"]))
    if not quiet:
        click.echo("loading models ...", err=True)
    if place == "assistant" and not quiet:
        person = plan.person(plan.episodes[0])
        click.echo(f"you reply to {person.name} ({person.task})", err=True)
    measured_by = measuring_command(log, plan, how["own_tasks"], how["own_patterns"])
    kept = KeptTalk(log, place, whose_task=place == "assistant" or how["persona"] is not None)
    try:
        asyncio.run(_hold(talk.open(plan), kept, quiet=quiet))
    finally:
        if log.exists() and not quiet:
            click.echo(f"log {log}; measure it with: {measured_by}", err=True)


def measuring_command(log: Path, plan: Plan, own_tasks: Sequence[Path], own_patterns: Sequence[Path]) -> str:
    """Return the command that measures the log by the rater that makes the study's curves, as a shell reads it."""
    words = ["holdfast", "measure", str(log)]
    for option, files in (("--tasks", own_tasks), ("--patterns", own_patterns)):
        words += [word for file in files for word in (option, str(file))]
    rater, *_ = plan.study.model_dump(mode="json")["raters"]
    if rater != "linear":  # which measures where no rater is named
        words += ["--rater", rater if isinstance(rater, str) else json.dumps(rater, ensure_ascii=False)]
    return visible(shlex.join(words))


@dataclass(frozen=True)
class KeptTalk:
    """Where a talk is kept, whose place you take (user, assistant), and whether its task was chosen."""

    log: Path
    place: str
    whose_task: bool


async def _hold(opening_session: Awaitable[Session], kept: KeptTalk, *, quiet: bool) -> None:
    from holdfast.simulator.cli.personas.keyboard import next_message
    from holdfast.simulator.cli.personas.lines import ConversationPrinter, felt_line, left_because
    from holdfast.simulator.cli.personas.waiting import Waiting
    from holdfast.simulator.conversation.graph import config, graph
    from holdfast.simulator.conversation.human import AloudUser, HumanCandidate, HumanUser, TalkEndedError
    from holdfast.simulator.conversation.participants import reopening

    session = await opening_session
    episode = session.plan.episodes[0]
    printer, waiting = ConversationPrinter(console(), small_print=False), Waiting(quiet)
    records: list[TurnRecord] = []
    place = kept.place

    async def on_turn(record: TurnRecord) -> None:
        waiting.end()
        records.append(record)
        _write(kept, records, episode)
        if place == "user":
            why = record.primary.missing or record.primary.evidence or "no reply"
            printer.line("assistant", record.reply if record.reply.strip() else f"({why})")
        if not quiet:
            printer.line("", rated_line(record.ratings))
            if place == "assistant":
                printer.line("", felt_line(record))
        if left := left_because(record):
            printer.line("", f"leaves: {left}")
        waiting.begin()  # for what the user says to it

    def say_user(text: str) -> None:
        waiting.end()
        printer.line("user", text)

    def read() -> str | None:
        waiting.end()
        line = next_message()
        waiting.begin()
        return line

    people = session.participants(episode, on_turn)
    if place == "user":
        people = replace(people, user=HumanUser(people.user.persona, read))
    else:
        aloud = AloudUser(people.user, say_user)
        people = replace(people, candidate=HumanCandidate(read), user=aloud)
    failed: ModelError | None = None
    with suppress(TalkEndedError):
        while True:  # a message that gets no reply is dropped, and the person may go on
            async with waiting.watching(session.notices):
                failed = await _failed(graph.ainvoke(reopening(people, records), config(MOST_TURNS), context=people))
            if failed is None:
                return
            if place == "assistant":
                raise failed
            printer.line("", f"no reply: {failed}; this message is left out: write another, or /quit")
    if failed is not None and not records:
        raise failed


async def _failed(talk: Awaitable[object]) -> ModelError | None:
    """Hold a talk; return what the model failed by, None where the talk came to its end."""
    try:
        await talk
    except ModelError as error:
        return error
    return None


def rated_line(ratings: Mapping[str, Rating]) -> str:
    """Return a line such as "linear: emotional reaction 1.2, interpretation 0.3, exploration 0.0 (each 0-2)"."""
    parts = []
    for name, rating in ratings.items():
        levels = ", ".join(f"{dimension.replace('_', ' ')} {level:.1f}" for dimension, level in rating.values.items())
        why = rating.disqualified or rating.missing
        parts.append(f"{name}: {levels or 'unrated'}{f' ({why})' if why else ''}")
    return visible("; ".join(parts))


def _write(kept: KeptTalk, records: Sequence[TurnRecord], episode: EpisodeSpec) -> None:
    """Write the talk so far, one conversation, as a log; of which task, only where somebody chose one."""
    from holdfast.simulator.logs.formats.messages import MessagesWriter
    from holdfast.simulator.logs.records import Conversation, LogMessage

    messages = [
        message
        for record in records
        for message in (
            LogMessage("user", record.user),
            LogMessage("assistant", record.reply, thoughts=record.thoughts),
        )
    ]
    replies = "you" if kept.place == "assistant" else episode.candidate
    speaker = "you" if kept.place == "user" else episode.persona
    columns = {"candidate": replies} | ({"task": episode.task} if kept.whose_task else {})
    talk = Conversation(kept.log.stem, str(kept.log), tuple(messages), speaker, columns)
    MessagesWriter().write([talk], kept.log)
