"""A study's YAML file: read with every fault at once, and written as resolved."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import yaml
from pydantic import ValidationError

from holdfast.adapters.training.store import AdapterStore
from holdfast.agents.raters.registry import target_fault
from holdfast.core.atomic import drafted
from holdfast.core.errors import Fault, InputError
from holdfast.core.files import opened
from holdfast.core.text import MAX_BYTES
from holdfast.core.wording import did_you_mean, quote
from holdfast.core.yaml_source import MAX_VALUES, DataPath, YamlSource, read_yaml
from holdfast.personas.checks import check_repeated
from holdfast.personas.file_kinds import other_kind, require_kind
from holdfast.personas.loading import (
    AnyPath,
    library,
    own_personas,
    persona_check,
    read_with_people,
    validate_source,
    yaml_files,
)
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
        InputError: with every fault of the file; also where a file that it names cannot be read.
    """
    folder = Path(path).absolute().parent
    source = read_with_people(path, ("personas", "files"))
    names, files_there = (partial(check, folder=folder) for check in (_names_what_exists, _names_files))
    checks = (_is_a_study, names, files_there, _population_fits, _hint_at_replicates)
    study = validate_source(source, StudyConfig, checks)
    _require_targets(study, source, folder)
    world = world_with(_beside(study.tasks, folder), _beside(study.patterns, folder))
    files = own_personas(_beside(study.personas.files, folder), world.tasks)
    adapters = None if study.adapters is None else str(folder / study.adapters)
    personas = study.personas.model_copy(update={"files": files})
    raters = _all_beside(study.raters, folder, source, ("raters",))
    candidates = _all_beside(study.candidates, folder, source, ("candidates",))
    updates: dict[str, Any] = {"personas": personas, "adapters": adapters, "raters": raters, "candidates": candidates}
    updates |= {"tasks": world.own_tasks, "patterns": world.own_patterns}
    if study.training is not None and study.training.rater is not None:
        (trainer,) = _all_beside([study.training.rater], folder, source, ("training", "rater"))
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


def _is_a_study(source: YamlSource) -> Iterator[Fault]:
    """Raise InputError for a file of another kind, instead of the faults that it has as a study."""
    require_kind(source, "study")
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
            if key == "tasks":
                yield from check_repeated(source, ("topics", "needs"), (key, index))
            if own is None:
                continue  # the schema's fault
            try:
                tasks, patterns = (own, ()) if key == "tasks" else ((), own)
                world = world_with((*world.own_tasks, *tasks), (*world.own_patterns, *patterns))
            except InputError as error:
                yield from _placed(error, source, (key, index))
    for index, item in enumerate(_list(source.get(("personas", "files")))):
        if isinstance(item, dict):
            yield from persona_check(world.tasks)(source.part(("personas", "files", index)))
    for key, known, what in (("ids", library(), "persona"), ("tasks", world.tasks, "task")):
        for index, name in enumerate(_list(source.get(("personas", key)))):
            if isinstance(name, str) and name not in known:
                hint = did_you_mean(name, known)
                message = f"no {what} {quote(name)}{hint} (see holdfast {what} list)"
                yield source.fault(("personas", key, index), message)


def _names_files(source: YamlSource, folder: Path) -> Iterator[Fault]:
    """The files of personas and the folder of adapters that a study names are there."""
    for index, name in enumerate(_list(source.get(("personas", "files")))):
        if not isinstance(name, str):
            continue  # a persona, or the schema's fault
        path = folder / name
        try:
            faults = yaml_files([path])[1]
            if faults:
                raise InputError(faults)
            if not path.is_dir():
                with opened(path):
                    pass
        except InputError as error:
            yield from _placed(error, source, ("personas", "files", index))
    adapters = source.get(("adapters",))
    try:
        if isinstance(adapters, str):
            AdapterStore(folder / adapters).names()
    except InputError as error:
        yield from _placed(error, source, ("adapters",))


def _require_targets(study: StudyConfig, source: YamlSource, folder: Path) -> None:
    """Make sure that own patterns are on the scale of the first rater, where that is known before it is opened.

    Raises:
        InputError: with the place in the pattern's file, or in the study where it is written out.
    """
    rater, faults = study.raters[0], list[Fault]()
    for index, own in enumerate(study.patterns if rater.known_scale is not None else ()):
        inside: list[tuple[YamlSource, DataPath]] = [(source, ("patterns", index))]
        if isinstance(own, str):
            inside = [(read_yaml(file), ()) for file in yaml_files([folder / own])[0]]
        for file, path in inside:
            if other_kind(file.get(path), "pattern") is not None:
                continue
            pattern = EmpathyPattern.model_validate_json(json.dumps(file.get(path)), strict=True)
            assert rater.known_scale is not None
            if fault := target_fault(pattern, rater.known_scale, rater.label):
                where = (*path, fault[0]) if fault[0] in ("scale", "target") else (*path, "target", fault[0])
                faults.append(file.fault(where, fault[1], at_key=True))
    if faults:
        raise InputError(faults)


def _placed(error: InputError, source: YamlSource, path: DataPath) -> Iterator[Fault]:
    """Yield the faults of a file that the study names at ``path``: without a line in that file, at the study's line."""
    for fault in error.faults or (Fault("", str(error)),):
        named = f"{fault.source}: " if fault.source else ""
        yield fault if fault.line is not None else source.fault(path, f"{named}{fault.message}")


class _Beside(Protocol):
    def beside(self, folder: Path) -> Self: ...


_Spec = TypeVar("_Spec", bound=_Beside)
_FILE_KEYS = ("prompt_file", "file", "folder")  # of a candidate or a rater


def _all_beside(specs: Sequence[_Spec], folder: Path, source: YamlSource, path: DataPath) -> tuple[_Spec, ...]:
    """Return the candidates or raters at ``path`` with their files relative to ``folder``.

    Raises:
        InputError: with every file that cannot be read, at the line that names it.
    """
    faults: list[Fault] = []
    placed: list[_Spec] = []
    for index, spec in enumerate(specs):
        place = (*path, index) if isinstance(source.get(path), list) else path
        try:
            placed.append(spec.beside(folder))
        except InputError as error:
            keys = ((*place, key) for key in _FILE_KEYS)
            faults += _placed(error, source, next((key for key in keys if key in source.values), place))
    if faults:
        raise InputError(faults)
    return tuple(placed)


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
