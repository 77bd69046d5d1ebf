"""Command output: rich tables in a terminal, plain columns in a pipe, JSON on request, nothing when quiet."""

from __future__ import annotations

import errno
import functools
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.core.rounding import round_half_up
from holdfast.core.text import visible

if TYPE_CHECKING:
    from holdfast.simulator.measure.bootstrap import Interval
    from holdfast.simulator.measure.estimates import Estimate

UNDEFINED = "-"
_EDGE, _EDGES = 1, 3  # columns of a drawn table's border: at its left, and beside each column


@dataclass(frozen=True, slots=True)
class Output:
    """What ``--json`` and ``--quiet`` ask for."""

    as_json: bool
    quiet: bool

    @property
    def bare(self) -> bool:
        """Whether nothing is said of how far the work is."""
        return self.as_json or self.quiet

    def note(self, text: str) -> None:
        """Say on standard error what goes on."""
        if not self.bare:
            print_lines(text, stderr=True)

    def show(self, value: Any, text: Callable[[], object]) -> None:
        """Print ``value`` as JSON, or call ``text`` to print it for people."""
        if self.as_json:
            print_json(value() if callable(value) else value)
        elif not self.quiet:
            text()


#: What a seed may be; the journal and JSON hold no larger number.
SEED = click.IntRange(0, (1 << 63) - 1)


class FiniteRange(click.FloatRange):
    """A range of ordinary numbers: nan compares with nothing, and so lies in every range of click's."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number; write an ordinary one.", param, ctx)
        return number


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--json`` and ``--quiet`` to a command, which gets both as its ``output``."""

    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")
    @click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")
    @functools.wraps(command)
    def with_output(*args: Any, as_json: bool, quiet: bool, **options: Any) -> None:
        command(*args, output=Output(as_json, quiet), **options)

    return with_output


def world_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--tasks`` and ``--patterns``: files and folders of one's own, as ``own_tasks`` and ``own_patterns``."""
    for option, name, what in (("--patterns", "own_patterns", "empathy patterns"), ("--tasks", "own_tasks", "tasks")):
        kind = click.Path(path_type=Path)
        add = click.option(option, name, multiple=True, type=kind, help=f"File or folder of {what} of your own.")
        command = add(command)
    return command


class _Console(Console):
    """A console that leaves a reader who has gone to the command line, where rich's own would exit with 1."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        self.quiet = True
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def console(*, stderr: bool = False) -> Console:
    """Return a console that wraps only in a terminal: in a pipe a table row stays one line."""
    stream = sys.stderr if stderr else sys.stdout
    return _Console(
        stderr=stderr, width=None if stream.isatty() else 200, highlight=False, soft_wrap=not stream.isatty()
    )


def print_json(value: Any) -> None:
    """Print a JSON document."""
    click.echo(visible(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)))


def print_lines(text: str, *, stderr: bool = False) -> None:
    """Print lines that may hold text of a model, wrapped between words in a terminal."""
    if (sys.stderr if stderr else sys.stdout).isatty():
        console(stderr=stderr).print(Text(visible(text)))
    else:
        click.echo(visible(text), err=stderr)


def cell(value: object) -> str:
    """Return a value as tables show it: numbers with two decimals, counts as they are, a dash where undefined."""
    text = UNDEFINED if value is None else f"{value:.2f}" if isinstance(value, float) else visible(str(value))
    return text.replace("\n", " ")


def number_cell(value: float | None, digits: int = 2) -> str:
    """Return the number with ``digits`` decimals, halves rounded away from zero; a dash where undefined."""
    return UNDEFINED if value is None or not math.isfinite(value) else round_half_up(value, digits)


def interval_cell(figure: Estimate | Interval | None, digits: int = 2) -> str:
    """Return ``mean [lo, hi]``, the mean alone where it has no limits, a dash where there is no mean.

    Where nothing varies between people ``[all alike]`` stands in the limits' place.
    """
    if figure is None:
        return UNDEFINED
    mean, lo, hi = (number_cell(each, digits) for each in (figure.mean, figure.lo, figure.hi))
    if mean == UNDEFINED or lo == hi == UNDEFINED:
        return f"{mean} [all alike]" if figure.reason and mean != UNDEFINED else mean
    return f"{mean} [{lo}, {hi}]"


def _draw(rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> None:
    """Draw a table, the first row its header: as several that begin with the same column where it is too wide."""
    screen = console()
    cells = list(zip(*rows, strict=True))
    longest = [max(cell_len(word) for text in column for word in (text.split() or [""])) for column in cells]
    parts = [[0]]
    for index in range(1, len(cells)):
        if len(parts[-1]) > 1 and _EDGE + sum(longest[each] + _EDGES for each in (*parts[-1], index)) > screen.width:
            parts.append([0])
        parts[-1].append(index)
    for part in parts:
        widths = {index: max(map(cell_len, cells[index])) for index in part}
        while _EDGE + sum(width + _EDGES for width in widths.values()) > screen.width:
            widest = max(part, key=lambda index: widths[index] - longest[index])  # that can spare most
            if widths[widest] == longest[widest]:
                break
            widths[widest] -= 1
        table = Table(header_style="bold", border_style="dim")
        for index in part:
            justify: Literal["left", "right"] = "right" if index in numbers else "left"
            narrowed = widths[index] < max(map(cell_len, cells[index]))
            header = rows[0][index].replace(" [", "\n[") if narrowed else rows[0][index]
            table.add_column(header, justify=justify, width=widths[index])
        for row in rows[1:]:
            table.add_row(*(Text(row[index]) for index in part))  # not parsed as markup: names come from logs
        screen.print(table)


def print_table(columns: Sequence[str], cells: Sequence[Sequence[object]], *, numbers: Sequence[int] = ()) -> None:
    """Print rows of cells as a table: drawn in a terminal, aligned columns in a pipe.

    Args:
        cells: values as :func:`cell` takes them.
        numbers: right-aligned columns.
    """
    rows: list[Sequence[str]] = [[*map(cell, row)] for row in cells]
    if sys.stdout.isatty():
        _draw([columns, *rows], numbers)
        return
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    for row in (columns, *rows):
        padded = [
            text.rjust(width) if index in numbers else text.ljust(width)
            for index, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(padded).rstrip())
