"""``python tests/launch.py tests.campaign``: tries of every kind of fault, drawn from a seed, and what came of them.

``--only KIND`` (by name or number) holds one kind; ``--fuzz 10000`` sets how many mutated inputs each fuzzing kind
reads. Ends with a table, and with exit code 1 where a try met a traceback, a hang, a wrong figure or a lost turn.
"""

from __future__ import annotations

import sys
import time

import click

from tests.campaign.kinds import KINDS
from tests.campaign.report import campaign, peak_kb, print_table

MOST_KB = 1 << 20  # peak memory of the whole campaign


@click.command()
@click.option("--seed", default=1, show_default=True, help="What all draws follow from.")
@click.option("--tries", default=500, show_default=True, help="Tries of all kinds together, fuzzing left out.")
@click.option("--fuzz", default=2000, show_default=True, help="Mutated inputs of each fuzzing kind; 0: none.")
@click.option("--only", multiple=True, help="A kind's name or number; may be given again.")
@click.option("--try", "number", type=int, help="Only the try of this number of each kind.")
def main(seed: int, tries: int, fuzz: int, only: tuple[str, ...], number: int | None) -> None:
    """Hold the campaign and print its table."""
    chosen = {name: kind for name, kind in KINDS.items() if not only or name in only or str(kind.number) in only}
    if not chosen:
        raise click.UsageError(f"no such kind; there are {', '.join(KINDS)}")
    began = time.monotonic()
    outcomes = campaign(chosen, seed=seed, tries=tries, fuzz=fuzz, number=number, show=click.echo)
    faults = print_table(chosen, outcomes)
    peak = peak_kb()
    total = sum(len(each) for each in outcomes.values())
    click.echo(f"seed {seed}: {total} tries, {faults} faults, {time.monotonic() - began:.0f} s, peak {peak >> 10} MB")
    if peak > MOST_KB:
        click.echo(f"peak memory is above {MOST_KB >> 10} MB")
    sys.exit(1 if faults or peak > MOST_KB else 0)


if __name__ == "__main__":
    main()
