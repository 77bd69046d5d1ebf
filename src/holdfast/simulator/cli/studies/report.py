"""``holdfast report``: results.json and report.html from a journal."""

from pathlib import Path

import click

from holdfast.simulator.cli.console import Output, output_options, print_json


@click.command(
    epilog="""\b
Examples:
  holdfast report runs/quickstart
  holdfast report runs/overnight --json | jq .candidates.routed.retention      also while it still runs
  holdfast report --schema                                                     what each field of results.json means"""
)
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of results.json instead.")
@output_options
def report(folder: Path | None, schema: bool, output: Output) -> None:
    """Make results.json and report.html from the journal in FOLDER."""
    if schema:
        from holdfast.simulator.results.model import results_schema

        print_json(results_schema())
        return
    if folder is None:
        raise click.UsageError("Missing argument 'FOLDER': the run folder.")
    from holdfast.simulator.cli.studies.summary import show
    from holdfast.simulator.monitor.viewer import viewer
    from holdfast.simulator.runtime.pipeline import report as make_report

    show(make_report(folder, viewer=viewer(quiet=output.quiet)), folder, output)
