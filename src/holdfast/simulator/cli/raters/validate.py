"""``holdfast validate``: a rater beside people."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from holdfast.simulator.cli.console import SEED, Output, interval_cell, output_options, print_lines, print_table

_TITLES = {
    "epitome": "Expressed empathy: EPITOME's replies, quadratic-weighted kappa [95 % interval]",
    "lend_an_ear": "Communicated acts: Lend an Ear's conversations, quadratic-weighted kappa [95 % interval]",
    "ieval": "Perceived empathy: iEval's chats, by the people who chatted, Spearman [95 % interval]",
    "esconv": "Perceived empathy: ESConv's failed dialogues, by the person supported, Spearman [95 % interval]",
    "ieval_felt": "Felt empathy, one score: iEval's chats, by the people who chatted, Spearman [95 % interval]",
    "esconv_felt": "Felt empathy, one score: ESConv's failed dialogues, by the person supported, Spearman",
    "ieval_unseen": "Perceived empathy: iEval's chats of people whom the shipped weights never saw, Spearman",
}
_RANKS = {
    "spearman": "all chats",
    "within_bot": "within chatbots",
    "length_only": "length alone",
    "length_within_bot": "length alone, within",
}


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
@click.option("--seed", type=SEED, default=0, show_default=True, help="Deals folds and resamples.")
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
    from holdfast.agents.raters.gate.rater import ungated
    from holdfast.agents.raters.registry import open_raters
    from holdfast.simulator.cli.raters.options import RaterOptions, rater_specs
    from holdfast.simulator.results.shapes import plain
    from holdfast.simulator.validation.folder import data_folder
    from holdfast.simulator.validation.run import validate as run
    from holdfast.simulator.validation.write import check_figures, write_validation

    if out is not None:
        check_figures()
    (spec,) = rater_specs([rater], RaterOptions(base_url=base_url), "RATER")
    scales = {scale: each.model_copy(update={"name": scale}) for scale, each in by_scale(spec).items()}
    raters = {scale: ungated(rater) for scale, rater in open_raters(scales.values(), base_path()).items()}

    def on_set(name: str) -> None:
        output.note(f"validating on {name}")

    results = asyncio.run(run(raters, data_folder(data), draws=draws, seed=seed, on_set=on_set))
    as_json = plain(results)
    written = () if out is None else write_validation(as_json, results, out)
    output.show(as_json, lambda: _show(results, written))


def _show(results: Mapping[str, Any], written: Sequence[Path]) -> None:
    """Print every section of what :func:`holdfast.simulator.validation.run.validate` found; and what is ``written``."""
    for name, title in _TITLES.items():
        if name in results:
            print_lines(f"\n{title}")
            how = results["how"][name]
            print_lines(f"weights: {how['weights']}{_counts(how)}")
            if name in results["mean_kappa"]:
                _show_judged(name, results)
            else:
                _show_chats(results[name], results["ceilings"].get(name))
    for name, why in results["skipped"].items():
        print_lines(f"\nskipped {name}: {why}")
    for about, notes in results["notes"].items():
        print_lines(f"\n{about}:")
        for name, note in notes.items():
            print_lines(f"  {name}: {note}")
    if written:
        print_lines(f"\nwritten: {', '.join(map(str, written))}")


def _show_judged(name: str, results: Mapping[str, Any]) -> None:
    table, mean = results[name], results["mean_kappa"][name]
    rows = [[who, *(_cell(by[who], "qwk") for by in table.values()), _number(mean[who])] for who in mean]
    ceilings = results["ceilings"][name].values()
    for key, label in (("expert_expert", "expert-expert"), ("expert_rest", "expert-the rest")):
        each = [ceiling[key] for ceiling in ceilings]
        rows.append([label, *(_number(value) for value in each), _number(sum(each) / len(each))])
    print_table(["annotator", *(dimension.replace("_", " ") for dimension in table), "mean"], rows)
    counts = sorted({kappa["n"] for by in table.values() for kappa in by.values()})
    print_lines(f"{' or '.join(str(count) for count in counts)} texts.")
    beside = results["beside"][name]
    columns = ["unrounded", *(dimension.replace("_", " ") for dimension in beside)]
    wanted = {"spearman": "Spearman", "length_spearman": "Spearman of length", "mae": "mean absolute error"}
    rows = [[label, *(_number(figures[key]) for figures in beside.values())] for key, label in wanted.items()]
    rows.append(["calibration error", *(_number(figures["calibration"]["error"]) for figures in beside.values())])
    print_table(columns, rows)


def _show_chats(section: Mapping[str, Any], ceiling: Mapping[str, float] | None) -> None:
    rows = [[label, _cell(section[key], "mean")] for key, label in _RANKS.items() if key in section]
    print_table(["agreement", "Spearman"], rows)
    left, error, kappa = (_number(section[key]) for key in ("beyond_length", "mae", "qwk"))
    print_lines(
        f"{section['n']} chats, {section['missing']} without a score. Pearson's r {_cell(section['pearson'], 'mean')}; "
        f"beyond length {left}, beyond length and expressed levels {_cell(section['beyond_expressed'], 'mean')}; mean "
        f"error {error}; weighted kappa {kappa}."
    )
    if ceiling is not None:
        most, agree = _number(ceiling["most"]), _number(ceiling["eu_er"])
        print_lines(f"Noise ceiling at most {most} (the two questions agree at {agree}).")
    calibration = section["calibration"]
    rows = [[f"{group['score']:.2f}", f"{group['label']:.2f}", str(group["n"])] for group in calibration["bins"]]
    print_table(["mean score", "mean label", "chats"], rows, numbers=[0, 1, 2])
    print_lines(f"Expected calibration error {_number(calibration['error'])}.")


def _counts(how: Mapping[str, Any]) -> str:
    parts = [f"{how['left_out_as_seen']} left out, seen in fitting"] if how["left_out_as_seen"] else []
    parts += [f"{count} missing: {why}" for why, count in how["missing"].items()]
    return f" ({'; '.join(parts)})" if parts else ""


def _cell(estimate: Mapping[str, Any], key: str) -> str:
    from holdfast.simulator.measure.estimates import Estimate

    if math.isnan(estimate[key]):
        return _number(estimate[key])
    return interval_cell(Estimate(mean=estimate[key], **{end: estimate[end] for end in ("lo", "hi", "reason")}))


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.2f}"
