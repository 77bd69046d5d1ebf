"""``holdfast quickstart``: the whole loop on the embedded default."""

from importlib.resources import files
from itertools import chain, count
from pathlib import Path

import click

from holdfast.simulator.cli.console import Output, output_options

DEFAULT_OUT = Path("runs/quickstart")


@click.command(
    epilog="""\b
Examples:
  holdfast quickstart
  holdfast quickstart --out runs/long --turns 48
  holdfast quickstart --out runs/long --resume      go on after any stop"""
)
@click.option("--out", type=click.Path(path_type=Path), help=f"Run folder. [default: {DEFAULT_OUT}, or the next free]")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Everything random comes from it.")
@click.option("--turns", type=click.IntRange(1, 10_000), default=24, show_default=True, help="Turns per conversation.")
@click.option("--batch-size", type=click.IntRange(1, 4096), help="Conversations at once; changes no result.")
@click.option("--resume", is_flag=True, help="Go on from what stands in the run folder.")
@output_options
def quickstart(out: Path | None, seed: int, turns: int, batch_size: int | None, resume: bool, output: Output) -> None:
    """Run the whole loop on the embedded default.

    Simulates conversations, writes steered dialogues, trains four expert adapters and a router, stress-tests them
    against system prompts over many turns, and ends on a report.
    """
    from holdfast.simulator.api import Study
    from holdfast.simulator.cli.studies.summary import show
    from holdfast.simulator.config.study import load_study

    changes = {"seed": seed, "turns": turns, **({} if batch_size is None else {"batch_size": batch_size})}
    study = load_study(Path(str(files("holdfast.simulator.config") / "quickstart.yaml"))).model_copy(update=changes)
    folders = chain([DEFAULT_OUT], (Path(f"{DEFAULT_OUT}-{number}") for number in count(2)))
    folder = out or (DEFAULT_OUT if resume else next(path for path in folders if not path.exists()))
    show(Study(study).run(folder, resume=resume, quiet=output.quiet).results, folder, output)
