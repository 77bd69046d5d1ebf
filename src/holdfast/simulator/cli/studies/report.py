"""``holdfast report``: results.json and report.html from a journal."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast.simulator.cli.console import output_options


@click.command(
    epilog="""\b
Examples:
  holdfast report runs/quickstart
  holdfast report runs/overnight --json | jq .candidates.routed.retention      also while it still runs"""
)
@click.argument("folder", type=click.Path(path_type=Path))
@output_options
def report(folder: Path, as_json: bool, quiet: bool) -> None:
    """Make results.json and report.html from the journal in FOLDER."""
    from holdfast.simulator.cli.studies.run import show
    from holdfast.simulator.monitor.viewer import viewer
    from holdfast.simulator.runtime.pipeline import report as make_report

    results = make_report(folder, viewer=viewer(quiet=quiet))
    show(results, folder, as_json=as_json, quiet=quiet)
