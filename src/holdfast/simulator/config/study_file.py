"""A study's YAML file: read with every fault at once, and written as resolved."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from holdfast.core.atomic import drafted
from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import did_you_mean, quote
from holdfast.core.yaml_source import YamlSource
from holdfast.personas.loading import AnyPath, library, load_yaml
from holdfast.personas.population_config import PopulationConfig, check_population
from holdfast.personas.schema import EmpathyPattern, TaskContext
from holdfast.personas.world import shipped_world, world_with
from holdfast.simulator.config.reminders import hidden_periods
from holdfast.simulator.config.study import OLD_KEY, StudyConfig


def load_study(path: AnyPath) -> StudyConfig:
    """Read a study's YAML; files and folders that it names lie relative to it.

    Raises:
        InputError: with every fault of the file.
    """
    folder = Path(path).absolute().parent
    names = partial(_names_what_exists, folder=folder)
    study = load_yaml(path, StudyConfig, [_is_no_persona, names, _population_fits, _hint_at_replicates])
    world = world_with(_beside(study.tasks, folder), _beside(study.patterns, folder))
    files = tuple(str(folder / file) for file in study.personas.files)
    adapters = None if study.adapters is None else str(folder / study.adapters)
    personas = study.personas.model_copy(update={"files": files})
    raters = tuple(rater.beside(folder) for rater in study.raters)
    candidates = tuple(candidate.beside(folder) for candidate in study.candidates)
    updates: dict[str, Any] = {"personas": personas, "adapters": adapters, "raters": raters, "candidates": candidates}
    updates |= {"tasks": world.own_tasks, "patterns": world.own_patterns}
    if study.training is not None and study.training.rater is not None:
        trainer = study.training.rater.beside(folder)
        updates["training"] = study.training.model_copy(update={"rater": trainer})
    for hidden in hidden_periods(candidates, study.all_lengths):
        warnings.warn(hidden, stacklevel=2)
    return study.model_copy(update=updates)


def write_study(study: StudyConfig, path: Path) -> None:
    """Write the study as resolved, every default spelt out; :func:`load_study` reads it back."""
    text = yaml.safe_dump(study.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)
    try:
        with drafted(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError([Fault(str(path), f"cannot be written: {error.strerror}")]) from error


def _is_no_persona(source: YamlSource) -> Iterator[Fault]:
    """Raise InputError for a persona's file, instead of the faults that it has as a study."""
    data = source.data
    if isinstance(data, dict) and "goals" in data and "candidates" not in data:
        way = f"hear it with: holdfast persona talk {source.name}"
        message = f"is a persona, not a study; {way}, or name it in a study: personas: {{files: [{source.name}]}}"
        raise InputError([Fault(source.name, message)])
    yield from ()


_Own = TypeVar("_Own")


def _beside(own: Iterable[str | _Own], folder: Path) -> tuple[str | _Own, ...]:
    return tuple(str(folder / item) if isinstance(item, str) else item for item in own)


def _names_what_exists(source: YamlSource, folder: Path) -> Iterator[Fault]:
    """Own tasks and patterns can be read, and the personas and tasks that a study names exist."""
    world = shipped_world()
    for key in ("patterns", "tasks"):
        for index, item in enumerate(_list(source.get((key,)))):
            own = _read(item, key, folder)
            if own is None:
                continue  # the schema's fault
            try:
                tasks, patterns = (own, ()) if key == "tasks" else ((), own)
                world = world_with((*world.own_tasks, *tasks), (*world.own_patterns, *patterns))
            except InputError as error:
                yield from error.faults or [source.fault((key, index), str(error))]
    for key, known, what in (("ids", library(), "persona"), ("tasks", world.tasks, "task")):
        for index, name in enumerate(_list(source.get(("personas", key)))):
            if isinstance(name, str) and name not in known:
                hint = did_you_mean(name, known)
                message = f"no {what} {quote(name)}{hint} (see holdfast {what} list)"
                yield source.fault(("personas", key, index), message)


def _read(item: object, key: str, folder: Path) -> tuple[Any, ...] | None:
    """Return an item of ``tasks`` or ``patterns`` as :func:`world_with` takes it; None where it is neither."""
    if isinstance(item, str):
        return (str(folder / item),)
    try:
        model = TaskContext if key == "tasks" else EmpathyPattern
        return (model.model_validate_json(json.dumps(item), strict=True),)
    except ValidationError:
        return None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _hint_at_replicates(source: YamlSource) -> Iterator[Fault]:
    """Warn where the file has the key by which older ones call ``replicates``. It is no fault."""
    if source.get((OLD_KEY,)) is not None:
        warnings.warn(f"'{OLD_KEY}' is now called 'replicates'; write 'replicates'", FutureWarning, stacklevel=2)
    yield from ()


def _population_fits(source: YamlSource) -> Iterator[Fault]:
    """Its personas exist and its graph fits its size, as far as one can tell without reading other files."""
    if source.get(("population",)) is None or source.get(("personas",)) is not None:
        return
    try:
        config = PopulationConfig.model_validate_json(json.dumps(source.get(("population",))), strict=True)
    except ValidationError:
        return  # told already
    for path, message in check_population(config, library()):
        yield source.fault(("population", *path), message)
