"""``holdfast label``: people's labels of a run's replies, on a page of this machine or in the terminal."""

from __future__ import annotations

import asyncio
import getpass
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.core.text import visible
from holdfast.core.wording import how_many
from holdfast.simulator.cli.console import SEED, Output, console, interval_cell, output_options, print_table

if TYPE_CHECKING:
    from holdfast.simulator.labelling.session import LabelQuestion, LabelSession
    from holdfast.simulator.labelling.store import ScaleName


@click.command(
    epilog="""\b
Examples:
  holdfast label runs/stress
      (opens a page on this machine; keys 0, 1, 2)
  holdfast label runs/stress --count 200 --coder ana
  holdfast label runs/stress --candidate routed --candidate base
  holdfast label runs/stress --terminal
  holdfast label runs/stress --plan
  holdfast label runs/stress --to labels.csv
  holdfast label runs/stress --from labels.csv

Answers lie in RUN/labels, one file a coder; a session may stop
anywhere. Make the report anew to see what follows from them."""
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(1, 100_000), default=60, show_default=True, help="Replies to draw.")
@click.option(
    "--candidate", "candidates", metavar="NAME", multiple=True, help="Ask about this one's replies only; repeatable."
)
@click.option("--coder", metavar="NAME", help="Who answers. [default: your login name]")
@click.option(
    "--scale",
    type=click.Choice(["expressed", "perceived"]),
    default="expressed",
    show_default=True,
    help="Three mechanisms of expressed empathy, 0-2, or one overall score as the user would feel it, 1-5.",
)
@click.option("--terminal", is_flag=True, help="Ask here instead of on a page.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page. [default: any free one]")
@click.option("--plan", is_flag=True, help="Say how narrow intervals get with how many labels, and ask nothing.")
@click.option(
    "--to", "out", type=click.Path(path_type=Path, dir_okay=False), help="Write all labels: .csv, .parquet or .jsonl."
)
@click.option("--from", "table", type=click.Path(path_type=Path), help="Read labels from a CSV table.")
@click.option("--model-coder", is_flag=True, help="The coder is a language model: results say so.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the drawing.")
@output_options
def label(
    run: Path,
    count: int,
    candidates: tuple[str, ...],
    coder: str | None,
    scale: ScaleName,
    terminal: bool,
    port: int,
    plan: bool,
    out: Path | None,
    table: Path | None,
    model_coder: bool,
    seed: int,
    output: Output,
) -> None:
    """Label replies of RUN, blind and in random order, so that its figures rest on people too."""
    from holdfast.simulator.labelling.session import open_session

    if plan:
        _plan(run, candidates, output)
        return
    if out is not None:
        from holdfast.simulator.row_files import require_known_ending

        require_known_ending(out, "--to")
    session = open_session(
        run, coder or _login(), count=count, scale=scale, seed=seed, model=model_coder, candidates=candidates
    )
    if out is not None or table is not None:
        _exchange(session, out, table, output)
        return
    if apart := session.apart:
        output.note(f"note: {apart}")
    try:
        if terminal:
            _ask_here(session)
        else:
            asyncio.run(_serve(session, port, output))
    except KeyboardInterrupt:
        output.note("")
    _say_where(session, output)


def _login() -> str:
    """The login name as a coder's name."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = ""
    return re.sub(r"[^A-Za-z0-9_-]", "", name)[:40].lstrip("_-") or "coder"


async def _serve(session: LabelSession, port: int, output: Output) -> None:
    from holdfast.simulator.labelling.page import LabelPage

    def ready(address: str) -> None:
        output.note(f"{len(session.asked)} replies for {session.coder}; open {address}\nCtrl-C ends it")

    await LabelPage(session).serve(port, ready)


def _ask_here(session: LabelSession) -> None:
    """Ask reply after reply; ``u`` takes back, ``q`` stops."""
    while (question := session.next()) is not None:
        _print(question, session)
        levels = _levels(session)
        if levels is None:
            return
        if not levels:
            session.undo()
            continue
        session.answer(question.item.reply, levels)


def _print(question: LabelQuestion, session: LabelSession) -> None:
    from rich.text import Text

    screen = console()
    screen.print(Text(f"\n{session.answered} of {len(session.asked)}", style="dim"))
    if question.left_out:
        screen.print(Text(f"({how_many(question.left_out, 'earlier message')} not shown)", style="dim"))
    for role, text in question.messages:
        screen.print(Text.assemble((f"{role}: ", "dim"), visible(text)))
    screen.print(Text.assemble(("the reply: ", "bold"), (visible(question.reply), "bold")))


def _levels(session: LabelSession) -> dict[str, int] | None:
    """The answers; empty: take the last one back; None: stop."""
    from holdfast.simulator.labelling.session import MEANINGS, QUESTIONS

    scale = session.sample.rated
    allowed = [str(level) for level in range(int(scale.low), int(scale.high) + 1)]
    levels = dict[str, int]()
    for name in scale.dimensions:
        meanings = "   ".join(f"{level} {meaning}" for level, meaning in zip(allowed, MEANINGS[name], strict=True))
        click.echo(f"{QUESTIONS[name]}\n  {meanings}   (u back, q stop) ", nl=False)
        while (key := _key()) not in (*allowed, "u", "q"):
            pass
        click.echo(key)
        if key == "q":
            return None
        if key == "u":
            return {}
        levels[name] = int(key)
    return levels


def _key() -> str:
    """One key; from a pipe the next character, "q" at its end."""
    if sys.stdin.isatty():
        return click.getchar()
    return sys.stdin.read(1) or "q"


def _exchange(session: LabelSession, out: Path | None, table: Path | None, output: Output) -> None:
    from holdfast.simulator.labelling.store import labels_from_csv, write_labels

    if table is not None:
        read = labels_from_csv(session.folder, table, session.stopped)
        for coder, labels in read.items():
            for each in labels:
                session.folder.add(coder, each)
        total = sum(map(len, read.values()))
        said = f"{how_many(total, 'label')} of {how_many(len(read), 'coder')} read from {table}"
        output.show({"read": {coder: len(labels) for coder, labels in read.items()}}, lambda: click.echo(said))
    if out is not None:
        rows = write_labels(session.folder, out)
        output.show({"out": str(out), "labels": rows}, lambda: click.echo(f"{how_many(rows, 'label')} in {out}"))


def _say_where(session: LabelSession, output: Output) -> None:
    left = len(session.asked) - session.answered
    value = {"coder": session.coder, "answered": session.answered, "left": left, "folder": str(session.folder.folder)}

    def text() -> None:
        click.echo(f"{how_many(session.answered, 'label')} by {session.coder} in {session.folder.folder}, {left} left")
        if session.answered:
            click.echo(f"See what follows: holdfast report {session.folder.run}")

    output.show(value, text)


def _plan(run: Path, candidates: tuple[str, ...], output: Output) -> None:
    from holdfast.simulator.labelling.planning import plan_labels

    planned = plan_labels(run, candidates)
    stopped = f", and {planned.stopped:,} that the gate stopped, which count 0" if planned.stopped else ""

    def text() -> None:
        click.echo(
            f"{how_many(planned.persons, 'person')}, {how_many(planned.replies, 'reply', 'replies')} of "
            f"{how_many(len(planned.candidates), 'candidate')} to draw from{stopped}; expected half width of a\n"
            f"95 % interval for a candidate's mean adherence, if labels agree with {planned.rater} by "
            f"r = {planned.correlation:.2f}\n({planned.correlation_from}):\n"
        )
        rows: list[tuple[Any, ...]] = [
            (each.labels, each.labels // max(1, len(planned.candidates)), each.labels_only, each.with_rater)
            for each in planned.rows
        ]
        columns = ("labels", "a candidate", "labels only", "with the rater")
        print_table(columns, rows, numbers=range(4))
        click.echo(f"\nthe rater alone: {interval_cell(planned.rater_alone)}")

    output.show(planned.as_dict, text)
