"""Pydantic's validation errors as faults with their place in the file, in plain words.

Pydantic's ``loc`` mixes the tags of unions with the keys. Here ``loc`` is matched with the paths of the file, and what
is allowed there is read from the model's JSON schema, so any model works, with nested and discriminated unions.
"""

import re
from collections.abc import Iterator

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from holdfast.core.allowed import Schema, expected_at, keys_at, listed_words, options_at, schema_of, tags_at
from holdfast.core.errors import Fault
from holdfast.core.wording import closest, describe_value, did_you_mean, either, quote
from holdfast.core.yaml_source import DataPath, YamlSource


def explain(error: ValidationError, source: YamlSource, model: type[BaseModel]) -> list[Fault]:
    """Return all of pydantic's errors as faults, each once, in the order of the file.

    A missing key is not reported where an unknown key beside it was taken for its misspelling, nor a whole value where
    something inside it is at fault, nor one value twice (of a union, pydantic complains of every alternative).
    """
    schema = schema_of(model)
    errors = error.errors(include_url=False)
    unknown = [_unknown(details, source, schema) for details in errors if details["type"] == "extra_forbidden"]
    meant = {path for _, path in unknown}
    faults = [fault for fault, _ in unknown]
    others: list[tuple[DataPath, Fault]] = []
    for details in sorted(errors, key=lambda details: not details["type"].startswith("union_tag")):
        loc = details["loc"]
        if details["type"] == "missing" and isinstance(loc[-1], str):
            path = (*_path(loc[:-1], source, details), loc[-1])
            if path not in meant:
                others.append((path, _missing(path, source, schema)))
        elif details["type"] != "extra_forbidden":
            short = details["type"] == "missing"  # an item of a list of fixed length: the list is too short
            path = _path(loc[:-1] if short else loc, source, details)
            others.append((path, source.fault(path, _message(details, source, schema, path))))
    around = {path[:depth] for path in [*meant, *(path for path, _ in others)] for depth in range(len(path))}
    first = dict(reversed(others))  # of a union's complaints the one about its tag
    faults += [fault for path, fault in first.items() if path not in around]
    return sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0))


def _unknown(details: ErrorDetails, source: YamlSource, schema: Schema) -> tuple[Fault, DataPath]:
    """Return the fault of an unknown key, and the path of the key that it may have meant."""
    path = _path(details["loc"][:-1], source, details, inner=details["loc"][-1])
    key, allowed = str(details["loc"][-1]), sorted(keys_at(schema, source, path))
    free = [each for each in allowed if (*path, each) not in source.values]  # one that is there may not come twice
    message = f"unknown key {quote(key)}{did_you_mean(key, free) or '; remove it'}"
    if allowed:
        message += f" (keys: {', '.join(allowed)})"
    return source.fault((*path, key), message, at_key=True), (*path, closest(key, free) or key)


def _missing(path: DataPath, source: YamlSource, schema: Schema) -> Fault:
    wanted = expected_at(schema, source, path)
    message = f"{_name(path[:-1])}key {quote(str(path[-1]))} is missing; add it"
    return source.fault(path[:-1], f"{message}: {wanted}" if wanted else message)


def _message(details: ErrorDetails, source: YamlSource, schema: Schema, path: DataPath) -> str:
    name, value, context = _name(path), source.get(path), details.get("ctx", {})
    if details["type"] in {"value_error", "assertion_error"}:
        return f"{name}{context.get('error', details['msg'])}"
    if details["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        key = str(context.get("discriminator", "kind")).strip("'")
        words = re.findall(r"'([^']*)'", str(context.get("expected_tags", ""))) or tags_at(schema, source, path)
        if details["type"] == "union_tag_not_found":
            return f"{name}key {quote(key)} is missing; add it: {either(words)}"
        return f"{name}{key}: expected {either(words)}, got {quote(str(context['tag']))}{_hint(context['tag'], words)}"
    wanted = expected_at(schema, source, path)
    if not wanted:
        return f"{name}{details['msg']}, got {describe_value(value)}"
    words = [word for option in options_at(schema, source, path) for word in listed_words(option)]
    return f"{name}expected {wanted}, got {_measured(value, details['type'])}{_hint(value, words)}"


def _hint(value: object, words: list[str]) -> str:
    return did_you_mean(value, words) if isinstance(value, str) else ""


def _measured(value: object, kind: str) -> str:
    """Describe the value; by its length where the length is wrong."""
    if kind == "string_too_long" and isinstance(value, str):
        return f"{len(value.strip())} characters"
    return describe_value(value)


def _name(path: DataPath) -> str:
    """Return ``goals[2].need: `` as messages begin; nothing for the whole file."""
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return f"{quote(text)[1:-1]}: " if text else ""


# --- loc to path ---------------------------------------------------------------------------------------------------


def _path(loc: tuple[str | int, ...], source: YamlSource, details: ErrorDetails, *, inner: object = None) -> DataPath:
    """Return the data path that ``loc`` means: its parts without the tags of unions.

    Where a tag is also a key of the data, the reading whose value equals pydantic's ``input`` is taken.
    """
    readings = sorted(_readings(loc, (), source), key=len, reverse=True) or [()]
    for path in readings:
        here = source.get(path)
        value = here.get(inner) if inner is not None and isinstance(here, dict) else here
        if value == details["input"]:
            return path
    return readings[0]


def _readings(loc: tuple[str | int, ...], path: DataPath, source: YamlSource) -> Iterator[DataPath]:
    if not loc:
        yield path
        return
    part, rest = loc[0], loc[1:]
    if (*path, part) in source.values:
        yield from _readings(rest, (*path, part), source)
    if isinstance(part, str) or not isinstance(source.get(path), list):  # one value may stand for a list of one
        yield from _readings(rest, path, source)
