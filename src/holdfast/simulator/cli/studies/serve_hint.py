"""``holdfast serve-hint``: the commands that serve a run's adapters, and the YAML that speaks with them."""

from pathlib import Path

import click

from holdfast.simulator.cli.console import output_options


@click.command(
    epilog="""\b
Examples:
  holdfast serve-hint runs/quickstart
  holdfast serve-hint runs/quickstart --link served       makes the folders for transformers serve
  holdfast serve-hint runs/quickstart --json | jq -r .vllm.command | sh"""
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--link", "links", type=click.Path(path_type=Path), help="Make the folders for transformers serve here.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the server will listen.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@output_options
def serve_hint(folder: Path, links: Path | None, host: str, port: int, as_json: bool, quiet: bool) -> None:
    """Say how to serve the base model and the adapters of the run in FOLDER.

    Prints the exact command for vLLM and for transformers serve, and the lines for a study's YAML. Nothing is started.
    """
    from holdfast.simulator.cli.console import print_json
    from holdfast.simulator.serving import link, served

    what = served(folder, host=host, port=port)
    place = (links or folder / "served").absolute()
    if links is not None:
        link(what, place)
    if as_json:
        print_json(what.as_json(place))
        return
    if quiet:
        return
    if links is None:
        again = f"\n(first: holdfast serve-hint {folder} --link {place}  makes a folder of links for each adapter)"
    else:
        again = f"\n({place} holds a folder of links for the base and each adapter)"
    _show("vLLM", what.vllm(), what.study_for_vllm())
    click.echo()
    _show("transformers serve", what.transformers() + again, what.study_for_transformers(place))


def _show(server: str, command: str, study: str) -> None:
    click.echo(f"# {server}\n{command}\n\n# in the study's YAML, instead of its 'model', 'adapters' and 'training':")
    click.echo(study, nl=False)
