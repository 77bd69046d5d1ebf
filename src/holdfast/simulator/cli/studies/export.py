"""``holdfast export``: transcripts for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.simulator.cli.console import Output, output_options, print_json, print_lines, print_table

if TYPE_CHECKING:
    from holdfast.simulator.export import Format, Shape


@click.command(
    epilog="""\b
Examples:
  holdfast export runs/stress --to parquet --out stress.parquet
  holdfast export runs/stress --to jsonl --out talks.jsonl \\
      --shape conversations
  holdfast export runs/stress --to datasets --out stress_dataset
      (then: datasets.load_from_disk(...))
  holdfast export runs/stress --schema
      (what each column means)"""
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
def export(folder: Path, to: Format, out: Path | None, shape: Shape, schema: bool, output: Output) -> None:
    """Write the transcripts of the run in FOLDER to Parquet, JSON lines, or a Hugging Face dataset."""
    from holdfast.simulator.export import export as write
    from holdfast.simulator.export import export_columns
    from holdfast.simulator.journal.store import JOURNAL

    if schema and output.as_json:
        print_json(
            {name: {"type": kind, "meaning": meaning} for name, (kind, meaning) in export_columns(shape).items()}
        )
    elif schema:
        print_table(("column", "type", "meaning"), [(name, *about) for name, about in export_columns(shape).items()])
    elif out is None:
        raise click.UsageError("Missing option '--out': the file (for datasets: the folder) to write.")
    else:
        rows = write(folder / JOURNAL, out, to, shape)
        written = {"out": str(out), "format": to, "shape": shape, "rows": rows}
        output.show(written, lambda: print_lines(f"{rows:,} {shape} in {out}"))
