"""``holdfast export``: transcripts for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.simulator.cli.console import output_options

if TYPE_CHECKING:
    from holdfast.simulator.export import Format, Shape


@click.command(
    epilog="""\b
Examples:
  holdfast export runs/stress --to parquet --out stress.parquet
  holdfast export runs/stress --to jsonl --out talks.jsonl --shape conversations
  holdfast export runs/stress --to datasets --out stress_dataset      then: datasets.load_from_disk(...)
  holdfast export runs/stress --schema                                what each column means"""
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--to", type=click.Choice(["parquet", "jsonl", "datasets"]), default="parquet", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; a folder for datasets.")
@click.option(
    "--shape",
    type=click.Choice(["turns", "conversations"]),
    default="turns",
    show_default=True,
    help="One row a turn, with all that was measured; or one row a conversation, as messages.",
)
@click.option("--schema", is_flag=True, help="Print the columns instead.")
@output_options
def export(folder: Path, to: Format, out: Path | None, shape: Shape, schema: bool, as_json: bool, quiet: bool) -> None:
    """Write the transcripts of the run in FOLDER to Parquet, JSON lines, or a Hugging Face dataset."""
    from holdfast.simulator.export import export_columns

    if schema:
        _print_schema(export_columns(shape), as_json=as_json)
        return
    if out is None:
        raise click.UsageError("Missing option '--out': the file (for datasets: the folder) to write.")
    from holdfast.simulator.cli.console import console, print_json
    from holdfast.simulator.export import export as write
    from holdfast.simulator.journal.store import JOURNAL

    rows = write(folder / JOURNAL, out, to, shape)
    if as_json:
        print_json({"out": str(out), "format": to, "shape": shape, "rows": rows})
    elif not quiet:
        console().print(f"{rows:,} {shape} in {out}", markup=False)


def _print_schema(columns: dict[str, tuple[str, str]], *, as_json: bool) -> None:
    from holdfast.simulator.cli.console import print_json, print_table

    if as_json:
        print_json({name: {"type": kind, "meaning": meaning} for name, (kind, meaning) in columns.items()})
    else:
        print_table(("column", "type", "meaning"), [(name, kind, meaning) for name, (kind, meaning) in columns.items()])
