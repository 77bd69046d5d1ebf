"""Reading YAML files as frozen models, with all faults reported together.

:func:`load_yaml` serves any pydantic model (a study's configuration too). Values are taken strictly: ``"3"`` is not a
number and ``true`` is not 1. Whatever a file holds, only :class:`~holdfast.core.errors.InputError` is raised.
"""

import functools
import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from holdfast.core.errors import Fault, InputError
from holdfast.core.faults import explain
from holdfast.core.files import is_leftover
from holdfast.core.wording import did_you_mean, printable, quote
from holdfast.core.yaml_source import DataPath, YamlSource, read_yaml
from holdfast.personas.checks import check_goals, check_known, check_language, check_repeated, check_story
from holdfast.personas.extending import YAML_ENDINGS, inherited, inherited_inside
from holdfast.personas.file_kinds import kinds_in_words, other_kind, others_in, require_kind
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext

MAX_FAULTS = 50  # of one file; the rest are counted

AnyPath = str | os.PathLike[str]
Model = TypeVar("Model", bound=BaseModel)
Identified = TypeVar("Identified", Persona, TaskContext, EmpathyPattern)
Check = Callable[[YamlSource], Iterable[Fault]]

_HERE = Path(__file__).parent


# --- any model -----------------------------------------------------------------------------------------------------


def load_yaml(path: AnyPath, model: type[Model], checks: Sequence[Check] = ()) -> Model:
    """Read a file as ``model``. ``checks`` read the plain data and yield further faults.

    Raises:
        InputError: With every fault of the file, in its order.
    """
    return validate_source(read_yaml(path), model, checks)


def validate_source(source: YamlSource, model: type[Model], checks: Sequence[Check] = ()) -> Model:
    """Return a parsed source as ``model``.

    Raises:
        InputError: With all faults: of the YAML, the types, the checks.
    """
    faults = list(source.faults)
    loaded: Model | None = None
    try:
        loaded = model.model_validate_json(json.dumps(source.data), strict=True)
    except ValidationError as error:
        faults += _elsewhere(explain(error, source, model), faults)
    faults += _elsewhere([fault for check in checks for fault in check(source)], faults)
    if loaded is None or faults:
        raise InputError(_in_order(faults))
    return loaded


def _elsewhere(later: list[Fault], earlier: list[Fault]) -> list[Fault]:
    """Return the later faults whose places have no earlier fault: where both are, the earlier is the cause."""
    taken = {(fault.source, fault.line, fault.column) for fault in earlier}
    return [fault for fault in later if (fault.source, fault.line, fault.column) not in taken]


def _in_order(faults: list[Fault]) -> list[Fault]:
    files = list(dict.fromkeys(fault.source for fault in faults))
    kept = sorted(faults, key=lambda fault: (files.index(fault.source), fault.line or 0, fault.column or 0))
    if len(kept) > MAX_FAULTS:
        more = Fault(kept[0].source, f"and {len(kept) - MAX_FAULTS:,} more faults; repair these first")
        return [*kept[:MAX_FAULTS], more]
    return kept


# --- models with an id ---------------------------------------------------------------------------------------------


def load_all(
    paths: Iterable[AnyPath],
    model: type[Identified],
    what: str,
    checks: Sequence[Check] = (),
    read: Callable[[AnyPath], YamlSource] = read_yaml,
) -> tuple[Identified, ...]:
    """Read files of one kind, and all ``*.yaml`` and ``*.yml`` files directly in the folders among ``paths``.

    What editors and systems leave in a folder (``.#a.yaml``, ``._a.yaml``) is passed over, and so are a folder's files
    of another kind (:mod:`holdfast.personas.file_kinds`).

    Args:
        paths: Files and folders.
        model: What each file holds.
        what: The kind in a word, for messages.
        checks: As :func:`load_yaml` takes them.
        read: Reads a file that is of this kind.

    Raises:
        InputError: With every fault of every file; also where two files have the same id.
    """
    given = tuple(map(Path, paths))
    (files, faults), named = yaml_files(given), frozenset(given)
    loaded: list[Identified] = []
    first: dict[str, str] = {}
    for file in files:
        try:
            source = read_yaml(file)
            if file not in named and other_kind(source.data, what) is not None:
                continue
            require_kind(source, what)
            source = source if read is read_yaml else read(file)
            name = source.get(("id",))
            earlier = first.setdefault(name, _place_of_id(source)) if isinstance(name, str) else ""
            if earlier and earlier != _place_of_id(source):
                faults.append(source.fault(("id",), f"{what} id {quote(str(name))} is taken by {earlier}; rename one"))
            loaded.append(validate_source(source, model, checks))
        except InputError as error:
            faults += error.faults
    if files and not (loaded or faults):
        where, there = printable(str(files[0].parent)), kinds_in_words(others_in(given, what))
        faults = [Fault(where, f"holds no {what}, but {there}; name the folder that does")]
    if faults:
        raise InputError(faults)
    return tuple(loaded)


def load_persona(path: AnyPath, task_ids: Collection[str] | None = None) -> Persona:
    """Read one persona file. ``task_ids``: the tasks that there are; None: those that holdfast ships."""
    return validate_source(read_persona(path), Persona, [persona_check(task_ids)])


def load_personas(paths: Iterable[AnyPath], task_ids: Collection[str] | None = None) -> tuple[Persona, ...]:
    """Read persona files and folders of them, as :func:`load_all` does. ``task_ids``: as :func:`load_persona` takes."""
    return load_all(paths, Persona, "persona", [persona_check(task_ids)], read_persona)


def own_personas(own: Iterable[AnyPath | Persona], task_ids: Collection[str] | None = None) -> tuple[Persona, ...]:
    """Return what a study names as personas of its own: those written out, and those of files and folders.

    Raises:
        InputError: As :func:`load_personas`.
    """
    items = list(own)
    written = tuple(item for item in items if isinstance(item, Persona))
    paths = [item for item in items if not isinstance(item, Persona)]
    return (*written, *(load_personas(paths, task_ids) if paths else ()))


def read_persona(path: AnyPath) -> YamlSource:
    """Read one persona file, with what it inherits by ``extends`` from others. Raises InputError with its faults."""
    return inherited(path, _library_files(), Persona.model_fields)


def read_with_people(path: AnyPath, places: DataPath) -> YamlSource:
    """Read a file in which personas may be written out, in the list at ``places``, each with what it inherits.

    Raises:
        InputError: It cannot be read, or a persona's parent is wrong.
    """
    source = read_yaml(path)
    written = source.get(places)
    each = [(*places, index) for index in range(len(written) if isinstance(written, list) else 0)]
    return inherited_inside(source, each, path, _library_files(), Persona.model_fields)


def named_persona(who: str, own: Iterable[AnyPath | Persona] = (), task_ids: Collection[str] | None = None) -> Persona:
    """Return the persona that is named by id or file.

    Args:
        who: An id of the library or of ``own``, or a file.
        own: Further personas: files, folders, or written out.
        task_ids: As :func:`load_persona` takes them.

    Raises:
        InputError: No persona has the id, or a file has a fault.
    """
    people = library()
    if who in people:
        return people[who]
    if _is_path(who):
        return load_persona(who, task_ids)
    by_id = {persona.id: persona for persona in own_personas(own, task_ids)}
    if who not in by_id:
        hint = did_you_mean(who, (*by_id, *people))
        raise InputError(f"no persona and no file {quote(who)}{hint} (see holdfast persona list)")
    return by_id[who]


def named_people(names: Iterable[str], task_ids: Collection[str] | None = None) -> tuple[Persona, ...]:
    """Return the personas that ids of the library, files and folders name, in that order and each once.

    Raises:
        InputError: No persona has an id that is named, a file has a fault, or two files have one id.
    """
    shipped, paths = _library_files(), list[AnyPath]()
    for name in names:
        is_id = name in shipped and not os.path.isdir(name)
        if not (is_id or _is_path(name)):
            named_persona(name)  # says what is like it
        paths.append(shipped[name] if is_id else name)
    return load_personas(paths, task_ids)


def _is_path(who: str) -> bool:
    return os.path.exists(who) or os.sep in who or who.endswith(YAML_ENDINGS)


def _place_of_id(source: YamlSource) -> str:
    place = source.values["id",]
    return f"{source.name}:{place.line}:{place.column}"


def yaml_files(paths: Iterable[AnyPath]) -> tuple[list[Path], list[Fault]]:
    """Return files and those of folders, in the order given and each once; and a fault for each folder without any."""
    files: dict[str, Path] = {}
    faults: list[Fault] = []
    for path in map(Path, paths):
        matches = [path]
        if os.path.isdir(path):
            try:
                matches = sorted(
                    file for file in path.iterdir() if file.suffix in YAML_ENDINGS and not is_leftover(file)
                )
            except OSError as error:
                faults.append(Fault(printable(str(path)), f"cannot be read: {error.strerror}; check its permissions"))
                continue
            if not matches:
                faults.append(Fault(printable(str(path)), "holds no .yaml file; name the folder that does"))
        for file in matches:
            files.setdefault(os.path.abspath(file), file)
    return list(files.values()), faults


def persona_check(task_ids: Collection[str] | None) -> Check:
    """Return the check of what a persona's schema cannot express. ``task_ids``: as :func:`load_persona` takes them."""

    def check(source: YamlSource) -> Iterable[Fault]:
        require_kind(source, "persona")
        yield from check_known(source, "task", tasks() if task_ids is None else task_ids)
        yield from check_language(source)
        yield from check_goals(source)
        yield from check_story(source)
        yield from check_repeated(source, ("topics", "feelings"))

    return check


# --- what is shipped -----------------------------------------------------------------------------------------------


@functools.cache
def patterns() -> Mapping[str, EmpathyPattern]:
    """Return the empathy patterns by id."""
    return _by_id(load_yaml(file, EmpathyPattern) for file in _shipped("patterns"))


@functools.cache
def tasks() -> Mapping[str, TaskContext]:
    """Return the task contexts by id."""

    def check(source: YamlSource) -> Iterable[Fault]:
        return check_known(source, "pattern", patterns())

    return _by_id(load_yaml(file, TaskContext, [check]) for file in _shipped("tasks"))


@functools.cache
def library() -> Mapping[str, Persona]:
    """Return the shipped personas by id."""
    return _by_id(load_personas(_shipped("library")))


@functools.cache
def _library_files() -> Mapping[str, Path]:
    """Return the files of the library by the ids of their personas, without reading them."""
    return MappingProxyType({file.stem: file for file in _shipped("library")})


def _shipped(folder: str) -> list[Path]:
    return sorted((_HERE / folder).glob("*.yaml"))


def _by_id(models: Iterable[Identified]) -> Mapping[str, Identified]:
    return MappingProxyType({model.id: model for model in models})
