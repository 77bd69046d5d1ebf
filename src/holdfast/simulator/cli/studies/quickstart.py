"""``holdfast quickstart``: the whole loop with one command, on the embedded model or a small real one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.core.errors import InputError, TrainingError, UnevenError
from holdfast.simulator.cli.console import SEED, Output, output_options, print_lines
from holdfast.simulator.cli.studies.run import saying_how_to_go_on, show_results

if TYPE_CHECKING:
    from holdfast.simulator.config.study import StudyConfig
    from holdfast.simulator.results.model import Results

DEFAULT_OUT = Path("runs/quickstart")


@click.command(
    epilog="""\b
Examples:
  holdfast quickstart
  holdfast quickstart --out runs/long --turns 48
  holdfast quickstart --out runs/long --resume      go on after any stop
  holdfast quickstart --model smollm2
      (a real model: 93 MB, fetched once; half an hour on two cores)
  holdfast quickstart --model hf:models/my-model"""
)
@click.option("--out", type=click.Path(path_type=Path), help=f"Run folder. [default: {DEFAULT_OUT}, or the next free]")
@click.option("--model", help="Instead of the embedded model: smollm2, hf:NAME_OR_PATH.")
@click.option("--seed", type=SEED, help="Everything random comes from it. [default: 7]")
@click.option(
    "--turns", type=click.IntRange(1, 10_000), help="Turns per conversation. [default: 24; real models fewer]"
)
@click.option("--batch-size", type=click.IntRange(1, 4096), help="Conversations at once; changes no result.")
@click.option("--resume", is_flag=True, help="Go on from what stands in the run folder.")
@output_options
def quickstart(out: Path | None, model: str | None, resume: bool, output: Output, **options: int | None) -> None:
    """Run the whole loop on the embedded default, or on a small real model.

    Simulates conversations, writes steered dialogues, trains expert adapters and a router, stress-tests them against
    system prompts over many turns, and ends on a report. A real model gets a study of a size that it should end in
    half an hour on two cores; where it writes nothing to learn from, the untrained candidates are tested all the same.
    """
    folders = chain([DEFAULT_OUT], (Path(f"{DEFAULT_OUT}-{number}") for number in count(2)))
    folder = out or (DEFAULT_OUT if resume else next(path for path in folders if not path.exists()))
    changes = {name: value for name, value in options.items() if value is not None}
    study = _study(folder, model, output, resume=resume).model_copy(update=changes)
    with saying_how_to_go_on(folder), _saying_the_command(folder, model):
        results = _run(study, folder, output, resume=resume)
    show_results(results, folder, output)


def _study(folder: Path, word: str | None, output: Output, *, resume: bool) -> StudyConfig:
    """Return the study to run: the one that stands in the folder, where it goes on, or the one for the model."""
    from holdfast.adapters.micro import base_path
    from holdfast.agents.models.local.safetensors_files import parameters_in
    from holdfast.agents.models.opening import local_reference
    from holdfast.simulator.cli.studies.run import chosen_model
    from holdfast.simulator.config.quickstart import EMBEDDED, quickstart_study
    from holdfast.simulator.config.study_file import STUDY_FILE, load_study
    from holdfast.simulator.monitor.viewer import viewer

    spec = chosen_model(word, None) or EMBEDDED
    if resume and (folder / STUDY_FILE).is_file():
        recorded = load_study(folder / STUDY_FILE)  # it may have gone on without experts
        if word is None or recorded.model.ref == spec.ref:
            return recorded
    if not spec.local:
        raise InputError(
            f"--model: the quickstart trains adapters, and so needs a model of this machine, not {spec.in_words}; take "
            "smollm2 or hf:NAME_OR_PATH, or give a study of yours with: holdfast run STUDY.yaml --model …"
        )
    if spec == EMBEDDED:
        return quickstart_study(spec, 0)
    parameters = parameters_in(local_reference(spec, base_path(), viewer(quiet=output.bare).stage).path)
    study = quickstart_study(spec, parameters)
    output.note(_words(study, parameters))
    return study


def _words(study: StudyConfig, parameters: int) -> str:
    """What is about to happen, for whoever waits for it."""
    from holdfast.core.wording import how_many
    from holdfast.simulator.config.plan import resolve

    people, training = len(resolve(study).personas), study.training
    assert training is not None
    numbers = study.model.dtype or "numbers as its files say"
    return (
        f"{study.model.in_words}: {parameters / 1e6:,.0f} million parameters, in {numbers}. First "
        f"{training.dialogues_per_pattern} steered dialogues a pattern and an expert from each, then "
        f"{how_many(people, 'person', 'people')} x {how_many(len(study.candidates), 'candidate')} x "
        f"{how_many(study.turns, 'turn')}. Up to half a billion parameters it is meant to end within half an hour on "
        "two cores; Ctrl-C keeps what is done."
    )


def _run(study: StudyConfig, folder: Path, output: Output, *, resume: bool) -> Results:
    """Run the study: without its experts where none could be trained, without its promise where it cannot be kept."""
    from holdfast.simulator.api import Study
    from holdfast.simulator.config.quickstart import EMBEDDED, without_experts, without_promise

    settings: dict[str, Any] = {"resume": resume, "quiet": output.bare}
    try:
        return Study(study).run(folder, **settings).results
    except UnevenError as error:
        print_lines(f"{error}\nGoing on without that promise.", stderr=True)
        return _run(without_promise(study), folder, output, resume=resume)
    except TrainingError as error:
        if study.model.ref == EMBEDDED.ref:
            raise
        print_lines(f"nothing to train on: {error}\nThe untrained candidates are tested all the same.", stderr=True)
        return Study(without_experts(study, str(error))).run(folder, **settings).results


@contextmanager
def _saying_the_command(folder: Path, model: str | None) -> Iterator[None]:
    """After Ctrl-C before the first conversation, tell with which command the quickstart goes on."""
    from holdfast.simulator.config.study_file import STUDY_FILE

    try:
        yield
    except KeyboardInterrupt:
        if folder.is_dir() and not (folder / STUDY_FILE).is_file():
            named = "" if model is None else f" --model {shlex.quote(model)}"
            place = shlex.quote(str(folder))
            print_lines(f"go on with: holdfast quickstart{named} --out {place} --resume", stderr=True)
        raise
