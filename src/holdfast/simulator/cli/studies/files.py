"""``holdfast study``: begin, check and show study files."""

from collections.abc import Sequence
from pathlib import Path

import click
import yaml
from pydantic import BaseModel

from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import how_many
from holdfast.simulator.cli.console import Output, output_options, print_lines
from holdfast.simulator.cli.personas.yaml_files import YamlKind, add_file_commands


@click.group(
    epilog="""\b
Examples:
  holdfast study new study.yaml
  holdfast study check study.yaml
  holdfast study show study.yaml
  holdfast run study.yaml --out runs/mine"""
)
def study() -> None:
    """Begin, check and show study files: who talks with whom, and what is compared."""


@study.command(
    epilog="""\b
Examples:
  holdfast study show study.yaml
  holdfast study show study.yaml --json | jq .candidates"""
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@output_options
def show(path: Path, output: Output) -> None:
    """A study as understood, every default spelt out."""
    from holdfast.simulator.config.plan import resolve
    from holdfast.simulator.config.study_file import load_study

    config = load_study(path)
    plan = resolve(config)
    values = config.model_dump(mode="json", exclude_none=True)
    comes_to = f"# {how_many(len(plan.episodes), 'conversation')} of {how_many(len(plan.personas), 'persona')}"
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True).rstrip()
    output.show({**values, "conversations": len(plan.episodes)}, lambda: print_lines(f"{comes_to}\n{text}"))


def _count(paths: Sequence[Path], _tasks: Sequence[Path], _patterns: Sequence[Path]) -> int:
    """Load each study as a run would, as far as no model is needed."""
    from holdfast.core.yaml_source import read_yaml
    from holdfast.personas.file_kinds import other_kind
    from holdfast.personas.loading import yaml_files
    from holdfast.simulator.config.plan import resolve
    from holdfast.simulator.config.study_file import load_study
    from holdfast.simulator.runtime.adapters import check_adapters

    files, faults = yaml_files(paths)
    checked = 0
    for file in files:
        try:
            if file not in paths and other_kind(read_yaml(file).data, "study") is not None:
                continue
            checked += 1
            check_adapters(resolve(load_study(file)))
        except InputError as error:
            faults += error.faults or [Fault(str(file), str(error))]
    if faults:
        raise InputError(faults)
    if not checked:
        raise InputError([Fault(str(paths[0]), "holds no study; name the folder that does")])
    return checked


def _model() -> type[BaseModel]:
    from holdfast.simulator.config.study import StudyConfig

    return StudyConfig


add_file_commands(study, YamlKind("study", _count, _model, plural="studies"))
