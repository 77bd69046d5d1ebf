"""``holdfast status``: how a run stands, from its journal."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.simulator.cli.console import FiniteRange, Output, console, output_options, print_lines

if TYPE_CHECKING:
    from holdfast.simulator.monitor.status import Status, StatusReader

CAUSES_SHOWN = 5


@click.command(
    epilog="""\b
Examples:
  holdfast status runs/overnight
  holdfast status runs/overnight --watch
      (every two seconds, until the run is over)
  holdfast status runs/overnight --json | jq .failed

It reads the journal and changes nothing; use it while the run goes on, or afterwards."""
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--watch", is_flag=True, help="Look again and again until the run is over.")
@click.option("--every", type=FiniteRange(0.1), default=2.0, show_default=True, help="Seconds between two looks.")
@output_options
def status(folder: Path, watch: bool, every: float, output: Output) -> None:
    """Say how the run in FOLDER stands: turns, speed, failures, adherence so far."""
    from holdfast.core.errors import InputError
    from holdfast.simulator.journal.store import JOURNAL, require_folder
    from holdfast.simulator.monitor.status import StatusReader

    require_folder(folder)
    if not (folder / JOURNAL).is_file():
        raise InputError(f"{folder}: no run stands here (there is no {JOURNAL}); name a run folder")
    reader = StatusReader(folder)
    looks = _looks(reader, every) if watch else iter([reader.look()])
    if watch and sys.stdout.isatty() and not output.bare:
        from rich.live import Live
        from rich.text import Text

        from holdfast.core.text import visible

        with Live(console=console(), auto_refresh=False) as view:  # one look replaces the last
            for now in looks:
                view.update(Text(visible("\n".join(lines(now)))), refresh=True)
    else:
        for now in looks:
            output.show(asdict(now), partial(print_lines, "\n".join(lines(now))))


def _looks(reader: StatusReader, every: float) -> Iterator[Status]:
    """Look again and again until the run is over."""
    yield (now := reader.look())
    while now.state == "running":
        time.sleep(every)
        yield (now := reader.look())


def resuming(folder: str | Path) -> str:
    """Return the command that goes on with a run."""
    place = shlex.quote(str(folder))
    return f"holdfast run {place}/study.yaml --out {place} --resume"


def lines(now: Status) -> list[str]:
    """What a person reads."""
    from holdfast.simulator.monitor.progress import duration
    from holdfast.simulator.monitor.running_means import counter_words

    speed = "" if now.turns_per_s is None else f", {now.turns_per_s:.1f} turns/s"
    left = "" if now.seconds_left is None else f", {duration(now.seconds_left)} left"
    reason = f" ({now.reason})" if now.reason and now.reason not in now.causes else ""
    said = [
        f"{now.folder}: {now.state}{reason}",
        f"turns          {now.turns:,} done, {now.turns_owed:,} owed{speed}{left}",
        f"conversations  {now.episodes:,}: {now.ended:,} ended, {now.failed:,} failed",
    ]
    causes = [(" ".join(cause.split()), count) for cause, count in now.causes.items()]
    said += [f"               {count:,} x {cause}" for cause, count in causes[:CAUSES_SHOWN]]
    if len(now.causes) > CAUSES_SHOWN:
        said.append(f"               and {len(now.causes) - CAUSES_SHOWN} other causes (see --json)")
    said.append(f"tokens         {now.tokens:,} in the candidates' replies and their prompts")
    if now.counters:
        said.append(f"models         {counter_words(now.counters)}")
    if now.adherence:
        means = ", ".join(f"{name} {mean:.2f}" for name, mean in now.adherence.items())
        said.append(f"adherence      {means}  (so far; no intervals yet)")
    said += [f"note           {notice}" for notice in now.notices]
    if now.state in ("stopped", "failed") or (now.failed and now.state == "done"):
        said.append(f"go on with     {resuming(now.folder)}")
    return said
