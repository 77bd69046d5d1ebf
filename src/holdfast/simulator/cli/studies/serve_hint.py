"""``holdfast serve-hint``: the commands that serve a run's adapters, and the YAML that speaks with them."""

from pathlib import Path

import click

from holdfast.simulator.cli.console import Output, output_options


@click.command(
    epilog="""\b
Examples:
  holdfast serve-hint runs/quickstart
  holdfast serve-hint runs/quickstart --link served
      (makes the folders for transformers serve)
  holdfast serve-hint runs/quickstart --json | jq -r .vllm.command | sh"""
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--link", "links", type=click.Path(path_type=Path), help="Make the folders for transformers serve here.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the server will listen.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@output_options
def serve_hint(folder: Path, links: Path | None, host: str, port: int, output: Output) -> None:
    """Say how to serve the base model and the adapters of the run in FOLDER.

    Prints the exact command for vLLM and for transformers serve, and the lines for a study's YAML. Nothing is started.
    """
    from holdfast.simulator.serving import link, served

    what = served(folder, host=host, port=port)
    place = (links or folder / "served").absolute()
    if links is not None:
        link(what, place)
    if links is None:
        again = f"\n(first: holdfast serve-hint {folder} --link {place}  makes a folder of links for each adapter)"
    else:
        again = f"\n({place} holds a folder of links for the base and each adapter)"
    beside = "# in the study's YAML, instead of its 'model', 'adapters' and 'training':"
    ways = (
        f"# vLLM\n{what.vllm()}\n\n{beside}\n{what.study_for_vllm()}",
        f"# transformers serve\n{what.transformers()}{again}\n\n{beside}\n{what.study_for_transformers(place)}",
    )
    output.show(what.as_json(place), lambda: click.echo("\n".join(ways), nl=False))
