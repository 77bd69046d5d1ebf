"""``holdfast convert``: write conversation logs in another format."""

from pathlib import Path

import click

from holdfast.core.errors import InputError
from holdfast.core.wording import how_many
from holdfast.simulator.cli.console import Output, output_options, print_lines


@click.command(
    epilog="""\b
Examples:
  holdfast convert sense-7_dataset.xlsx --to messages --out sense7.jsonl
  holdfast convert qa.csv --columns user=q,reply=a --to sdialog --out qa.json
  holdfast convert runs/quickstart --to csv --out quickstart.csv
  holdfast convert logs.jsonl --to journal --out runs/imported

Formats to write: messages, sharegpt, sense7, ieval, esconv, sage, sdialog, csv, journal. Only messages keeps
everything; what another has no place for is counted and said. Read is whatever measure reads (see its --help)."""
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", "word", required=True, help="Format to write.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File (journal: folder) to write.")
@click.option("--format", "source", help="Format to read; left out, it is recognised.")
@click.option("--columns", help="Columns of a plain CSV: conversation=ID,role=WHO,text=MESSAGE (see measure --help).")
@click.option("--assistant", metavar="NAME", help="Who is the assistant, in a log that names people and no roles.")
@output_options
def convert(
    files: tuple[Path, ...],
    word: str,
    out: Path,
    source: str | None,
    columns: str | None,
    assistant: str | None,
    output: Output,
) -> None:
    """Read conversations from FILES and write them in another format.

    Bad lines are skipped with their place and counted.
    """
    from holdfast.simulator.cli.logs.tables import skipped_lines
    from holdfast.simulator.cli.progress import counting
    from holdfast.simulator.logs.convert import convert_files
    from holdfast.simulator.logs.registry import written_format
    from holdfast.simulator.logs.results import skipped_results
    from holdfast.simulator.logs.sources import open_sources

    target = written_format(word)
    if out.exists() and out.resolve() not in {file.resolve() for file in files}:  # of those more is said below
        raise InputError(f"{out}: is there already; remove it, or choose another --out")
    with counting("conversations", "messages", quiet=output.bare) as progress:
        done = convert_files(open_sources(files, source, columns, assistant), target, out, progress)
    skipped = skipped_results(done.skipped)
    counts = {"conversations": done.conversations, "messages": done.messages}
    about = {"out": str(out), "format": target.word, **counts}

    def show() -> None:
        print_lines(
            f"{how_many(done.conversations, 'conversation')}, {how_many(done.messages, 'message')} written to {out}"
        )
        for name, count in done.left_out.most_common():
            print_lines(f"no place in {target.word} for {count:,} x {name}")
        if done.namesakes:
            print_lines(f"note: {done.namesakes.note}")
        for line in skipped_lines(skipped):
            print_lines(line)

    output.show({**about, "skipped": skipped.model_dump(), "left_out": dict(done.left_out)}, show)
