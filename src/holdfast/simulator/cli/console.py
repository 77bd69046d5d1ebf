"""Command output: rich tables in a terminal, plain columns in a pipe, JSON on request, nothing when quiet."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

Command = TypeVar("Command", bound=Callable[..., Any])


def output_options(command: Command) -> Command:
    """Add ``--json`` and ``--quiet`` to a command."""
    command = click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors.")(command)
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")(command)


def console(*, stderr: bool = False) -> Console:
    """Return a console that wraps only in a terminal: in a pipe a table row stays one line."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, width=None if stream.isatty() else 200, highlight=False, soft_wrap=not stream.isatty()
    )


def print_json(value: Any) -> None:
    """Print a JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> None:
    """Print rows as a table: drawn in a terminal, aligned columns in a pipe. ``numbers``: right-aligned columns."""
    if sys.stdout.isatty():
        table = Table(header_style="bold", border_style="dim")
        for index, name in enumerate(columns):
            table.add_column(name, justify="right" if index in numbers else "left")
        for row in rows:
            table.add_row(*map(Text, row))  # not parsed as markup: names come from logs
        console().print(table)
        return
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    for row in (columns, *rows):
        cells = [
            cell.rjust(width) if index in numbers else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
