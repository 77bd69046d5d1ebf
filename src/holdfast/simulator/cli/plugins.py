"""``holdfast plugins``: what other installed packages bring."""

import click

from holdfast.simulator.cli.console import Output, output_options, print_lines, print_table


@click.command(
    epilog="""\b
Examples:
  holdfast plugins
  holdfast plugins --json

A package brings candidates, raters and log formats by the entry points
holdfast.candidates, holdfast.raters and holdfast.log_formats
(examples/telecom has one)."""
)
@output_options
def plugins(output: Output) -> None:
    """List candidates, raters and log formats of other installed packages."""
    from holdfast.agents.plugins import GROUPS, plugins

    brought = [plugin for group in GROUPS for plugin in plugins(group)]
    rows = [[each.group.removeprefix("holdfast."), each.name, each.package, each.fault or "ready"] for each in brought]

    def show() -> None:
        if rows:
            print_table(["kind", "name", "package", "state"], rows)
        else:
            print_lines("no installed package brings anything (entry points: " + ", ".join(GROUPS) + ")")

    keys = ("kind", "name", "package", "state")
    output.show([dict(zip(keys, row, strict=True)) for row in rows], show)
