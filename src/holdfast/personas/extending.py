"""``extends: ID_OR_FILE`` in a persona's file: what it inherits from a persona of the library, or of another file.

::

    extends: jun_park        # or a file, relative to this one: ./parents/jun.yaml
    id: jun_in_a_hurry
    patience: 2
    temperament: {reactivity: 0.9}

Mappings are merged key by key; everything else that is given, lists too, takes the place of what is inherited. A parent
may extend another. Each value keeps the place where it stands, so a fault of an inherited one is told in its own file.
A persona that is written out in a study inherits in the same way; files lie relative to the study.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from holdfast.core.errors import Fault, InputError
from holdfast.core.files import is_leftover
from holdfast.core.wording import closest, describe_value, did_you_mean, printable, quote
from holdfast.core.yaml_source import DataPath, Position, YamlSource, read_yaml
from holdfast.personas.file_kinds import require_kind

KEY = "extends"
MOST_PARENTS = 16
YAML_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class _Link:
    """One persona of a chain: where its file lies, the same without links (empty inside a study), and what it holds."""

    path: str
    real: str
    source: YamlSource


def inherited(path: str | os.PathLike[str], library: Mapping[str, Path], known_keys: Collection[str]) -> YamlSource:
    """Read a persona's file with everything that it inherits; without the key ``extends``.

    Args:
        path: The file.
        library: Id to file of the personas that may be named by id.
        known_keys: Keys that a persona may have; one that looks more like ``extends`` is told.

    Raises:
        InputError: A file cannot be read, a parent does not exist, or the chain is a circle or too long.
    """
    return _joined(_link(os.fspath(path)), library, known_keys)


def inherited_inside(
    source: YamlSource,
    places: Iterable[DataPath],
    path: str | os.PathLike[str],
    library: Mapping[str, Path],
    known_keys: Collection[str],
) -> YamlSource:
    """Return a study's source in which the personas written out at ``places`` have what they inherit.

    Args:
        source: The study's.
        places: Where personas are written out.
        path: The study's file.
        library: As :func:`inherited` takes it.
        known_keys: As :func:`inherited` takes them.

    Raises:
        InputError: With the first fault of each persona whose parent is wrong, in place of all that it then lacks.
    """
    parts: dict[DataPath, YamlSource] = {}
    faults: list[Fault] = []
    for place in places:
        link = _Link(os.fspath(path), "", source.part(place))
        try:
            joined = _joined(link, library, known_keys)
        except InputError as error:
            faults += error.faults
        else:
            if joined is not link.source:
                parts[place] = joined
    if faults:
        raise InputError([*source.faults, *faults])
    return _with_parts(source, parts) if parts else source


def _joined(child: _Link, library: Mapping[str, Path], known_keys: Collection[str]) -> YamlSource:
    """Return a persona with everything that it inherits; its own source where it extends nobody."""
    chain = [child]
    while (parent := _parent_of(chain[-1], library, known_keys)) is not None:
        source, real = chain[-1].source, os.path.realpath(parent)
        files = [link.real for link in chain]
        if real in files:
            names = [os.path.basename(file) for file in (*files[files.index(real) :], real)]
            message = f"personas extend each other in a circle: {' → '.join(map(quote, names))}; remove one 'extends'"
            raise InputError([source.fault((KEY,), message)])
        if len(chain) > MOST_PARENTS:
            raise InputError([source.fault((KEY,), f"more than {MOST_PARENTS} parents in a row; join some of them")])
        chain.append(_parent(parent, source))
    if len(chain) == 1:
        return chain[0].source
    merged = _placed(chain[-1].source)
    for link in reversed(chain[:-1]):
        merged = _merged(merged, _placed(link.source))
    faults = (fault for link in chain for fault in link.source.faults)
    return replace(merged, name=chain[0].source.name, faults=(*faults, *_own_id(chain)))


def _link(path: str) -> _Link:
    source = read_yaml(path)  # refuses what is no path
    return _Link(path, os.path.realpath(path), source)


def _parent(path: str, child: YamlSource) -> _Link:
    """Read a parent. Raises InputError where it is none; what has no line of its own is told at the child's."""
    try:
        link = _link(path)
        require_kind(link.source, "persona")
    except InputError as error:
        raise InputError(
            fault if fault.line is not None else child.fault((KEY,), f"{KEY} {fault.source}: {fault.message}")
            for fault in error.faults or (Fault(printable(path), str(error)),)
        ) from None
    if not isinstance(link.source.data, dict):
        raise InputError([link.source.fault((), "holds no persona: it needs 'key: value' lines")])
    return link


def _parent_of(link: _Link, library: Mapping[str, Path], known_keys: Collection[str]) -> str | None:
    """Return the file that a file extends; None where it extends none. Raises InputError where it names nothing."""
    source, data = link.source, link.source.data
    if not isinstance(data, dict):
        return None
    if KEY not in data:
        for key in data:
            if key not in known_keys and closest(key, (*known_keys, KEY)) == KEY:
                message = f"unknown key {quote(key)}; did you mean {KEY!r}?"
                raise InputError([source.fault((key,), message, at_key=True)])
        return None
    named = data[KEY]
    if not isinstance(named, str) or not named.strip():
        message = f"{KEY}: expected the id of a persona or a file, got {describe_value(named)}"
        raise InputError([source.fault((KEY,), message)])
    named, folder = named.strip(), os.path.dirname(link.path)
    if named in library:
        return os.fspath(library[named])
    file = os.path.join(folder, named)
    is_name = os.sep in named or named.endswith(YAML_ENDINGS)
    if is_name and os.path.exists(file):
        return file
    hint = did_you_mean(os.path.basename(named), _beside(file)) if is_name else did_you_mean(named, library)
    where = "files lie relative to this one" if is_name else "see holdfast persona list; a file ends in .yaml"
    message = f"no {'file' if is_name else 'persona'} {quote(named)} to extend{hint} ({where})"
    raise InputError([source.fault((KEY,), message)])


def _beside(file: str) -> list[str]:
    try:
        names = os.listdir(os.path.dirname(file) or ".")
    except (OSError, ValueError):
        return []
    return [name for name in names if name.endswith(YAML_ENDINGS) and not is_leftover(Path(name))]


def _own_id(chain: list[_Link]) -> Iterator[Fault]:
    """Yield a fault where a file has its parent's id: results tell people apart by it."""
    for child, parent in pairwise(chain):
        own, others = child.source.get(("id",)), parent.source.get(("id",))
        if own is None:
            yield child.source.fault((), "key 'id' is missing; add it: who extends another has an id of its own")
        elif own == others:
            yield child.source.fault(("id",), f"id {quote(str(own))} is that of the persona it extends; rename it")


def _placed(source: YamlSource) -> YamlSource:
    """Return a source without ``extends``, each place of which says whose it is."""
    keys, values = (
        {path: replace(place, source=source.name) for path, place in places.items() if path[:1] != (KEY,)}
        for places in (source.keys, source.values)
    )
    data = source.data
    data = {key: value for key, value in data.items() if key != KEY} if isinstance(data, dict) else data
    return YamlSource(source.name, data, keys, values)


def _merged(parent: YamlSource, child: YamlSource) -> YamlSource:
    """Return the data of both: the child's, and what it does not give from the parent."""
    replaced: set[DataPath] = set()

    def joined(old: object, new: object, path: DataPath) -> object:
        if not (isinstance(old, dict) and isinstance(new, dict)):
            replaced.add(path)
            return new
        both = {key: joined(old[key], value, (*path, key)) if key in old else value for key, value in new.items()}
        return {**old, **both}

    def kept(places: Mapping[DataPath, Position]) -> dict[DataPath, Position]:
        return {path: at for path, at in places.items() if not any(path[:n] in replaced for n in range(len(path) + 1))}

    data = joined(parent.data, child.data, ())
    return YamlSource(child.name, data, kept(parent.keys) | dict(child.keys), kept(parent.values) | dict(child.values))


def _with_parts(source: YamlSource, parts: Mapping[DataPath, YamlSource]) -> YamlSource:
    """Return a source with others in place of what stands at their paths, and the faults of all."""

    def put(value: object, path: DataPath) -> object:
        if path in parts:
            return parts[path].data
        if isinstance(value, dict):
            return {key: put(item, (*path, key)) for key, item in value.items()}
        return [put(item, (*path, at)) for at, item in enumerate(value)] if isinstance(value, list) else value

    def outside(places: Mapping[DataPath, Position]) -> dict[DataPath, Position]:
        return {at: place for at, place in places.items() if not any(at[:n] in parts for n in range(len(at)))}

    keys, values, faults = outside(source.keys), outside(source.values), source.faults
    for path, part in parts.items():
        keys |= {(*path, *at): place for at, place in part.keys.items()}
        values |= {(*path, *at): place for at, place in part.values.items()}
        faults += part.faults
    return YamlSource(source.name, put(source.data, ()), keys, values, faults)
