"""``holdfast validate``: a rater beside people."""

import asyncio
from pathlib import Path

import click

from holdfast.simulator.cli.console import Output, output_options


@click.command(
    epilog="\b\nExamples:\n  holdfast validate linear\n  holdfast validate linear --json > agreement.json\n"
    "  holdfast validate my_encoder --out runs/validation\n  HOLDFAST_DATA=~/labels holdfast validate linear\n\n"
    "RATER is linear, a folder that `rater fit` or `rater train` wrote, or a judge (openai:NAME, hf:PATH, …), which "
    "is asked about every labelled text. The labels are other people's data and not "
    "part of holdfast: --data, else HOLDFAST_DATA, else ../shared/data. --out draws a figure, which needs matplotlib: "
    "pip install 'holdfast[figures]'."
)
@click.argument("rater")
@click.option("--base-url", help="A judge's server, e.g. http://localhost:8000/v1.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder that holds the labelled data sets.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write validation.json and .png there.")
@click.option("--draws", type=click.IntRange(min=50), default=1000, show_default=True, help="Bootstrap resamples.")
@click.option("--seed", type=int, default=0, show_default=True, help="Deals folds and resamples.")
@output_options
def validate(
    rater: str, base_url: str | None, data: Path | None, out: Path | None, draws: int, seed: int, output: Output
) -> None:
    """Hold a rater against human labels: EPITOME, iEval, Lend an Ear, ESConv.

    Expressed empathy and acts: quadratic-weighted kappa with the median of three experts (1 is agreement, 0 chance),
    beside each expert, the crowd, GPT, Claude and a baseline that knows only how long a reply is. Perceived empathy:
    rank correlation with the people who chatted, also within each chatbot. Where a rater was fitted on a set's people,
    it is fitted again on other people for the report.
    """
    from holdfast.adapters.micro import base_path
    from holdfast.agents.raters.fitted import by_scale
    from holdfast.agents.raters.registry import open_raters
    from holdfast.simulator.cli.raters.options import RaterOptions, rater_specs
    from holdfast.simulator.cli.raters.validation_tables import show_validation
    from holdfast.simulator.results.shapes import plain
    from holdfast.simulator.validation.folder import data_folder
    from holdfast.simulator.validation.run import validate as run
    from holdfast.simulator.validation.write import check_figures, write_validation

    if out is not None:
        check_figures()
    (spec,) = rater_specs([rater], RaterOptions(base_url=base_url))
    scales = {scale: each.model_copy(update={"name": scale}) for scale, each in by_scale(spec).items()}
    raters = open_raters(scales.values(), base_path())

    def on_set(name: str) -> None:
        output.note(f"validating on {name}")

    results = asyncio.run(run(raters, data_folder(data), draws=draws, seed=seed, on_set=on_set))
    as_json = plain(results)
    written = () if out is None else write_validation(as_json, results, out)
    output.show(as_json, lambda: show_validation(results, written))
