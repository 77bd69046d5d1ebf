"""A study's YAML file: read with every fault at once, and written as resolved."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from holdfast.core.atomic import drafted
from holdfast.core.errors import Fault, InputError
from holdfast.core.text import MAX_BYTES
from holdfast.core.wording import did_you_mean, quote
from holdfast.core.yaml_source import MAX_VALUES, YamlSource
from holdfast.personas.loading import AnyPath, library, load_yaml, own_personas, persona_check
from holdfast.personas.population_config import PopulationConfig, check_population
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext
from holdfast.personas.world import shipped_world, world_with
from holdfast.simulator.config.reminders import hidden_periods
from holdfast.simulator.config.study import OLD_KEY, StudyConfig

STUDY_FILE = "study.yaml"  # of a run, as resolved
PEOPLE = "personas"  # the folder beside it, where it would be too large


def load_study(path: AnyPath) -> StudyConfig:
    """Read a study's YAML; files and folders that it names lie relative to it.

    Tasks, patterns and personas of its own are read too, so the study is the same when their files are gone.

    Raises:
        InputError: with every fault of the file.
    """
    folder = Path(path).absolute().parent
    names = partial(_names_what_exists, folder=folder)
    study = load_yaml(path, StudyConfig, [_is_no_persona, names, _population_fits, _hint_at_replicates])
    world = world_with(_beside(study.tasks, folder), _beside(study.patterns, folder))
    files = own_personas(_beside(study.personas.files, folder), world.tasks)
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
    try:
        values = study.model_dump(mode="json", exclude_none=True)
        text = _as_yaml(values)
        if len(text.encode()) > MAX_BYTES or _count(values) > MAX_VALUES:  # each persona has a file of its own then
            own = [persona for persona in study.personas.files if isinstance(persona, Persona)]
            for persona in own:
                with drafted(path.with_name(PEOPLE) / f"{persona.id}.yaml") as draft:
                    draft.write_text(_as_yaml(persona.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
            values["personas"]["files"] = [item for item in study.personas.files if isinstance(item, str)]
            values["personas"]["files"] += [PEOPLE] if own else []
            text = _as_yaml(values)
        with drafted(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError([Fault(str(path), f"cannot be written: {error.strerror}")]) from error


def _as_yaml(values: Mapping[str, Any]) -> str:
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _count(value: Any) -> int:
    """Return how many values a reader of the YAML counts, keys among them."""
    if isinstance(value, dict):
        return 1 + sum(1 + _count(item) for item in value.values())
    return 1 + (sum(map(_count, value)) if isinstance(value, list) else 0)


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
    for index, item in enumerate(_list(source.get(("personas", "files")))):
        if isinstance(item, dict):
            yield from persona_check(world.tasks)(source.part(("personas", "files", index)))
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
