"""pydantic's errors -> faults with a place in the file, in plain words.

pydantic names a place by ``loc``, in which the tags of unions stand between the keys. Here ``loc`` is matched with the
paths that the file really holds, and what is allowed there is read from the model's JSON schema, so any model works:
nested, with discriminated unions, with plain ones.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from personas.errors import Fault
from personas.words import did_you_mean, either, got, quote
from personas.yaml_source import DataPath, YamlSource

Schema = Mapping[str, Any]

_PATTERNS = {r"^[a-z][a-z0-9_]*$": "lower-case letters, digits and _, beginning with a letter"}


def explain(error: ValidationError, source: YamlSource, model: type[BaseModel]) -> list[Fault]:
    """All of pydantic's errors as faults, each once, in the order of the file."""
    schema = _schema(model)
    found = [_fault(details, source, schema) for details in error.errors(include_url=False)]
    return sorted(dict.fromkeys(found), key=lambda fault: (fault.line or 0, fault.column or 0))


def _fault(details: ErrorDetails, source: YamlSource, schema: Schema) -> Fault:
    kind, loc = details["type"], details["loc"]
    if kind == "extra_forbidden":
        path = _path(loc[:-1], source, details, inner=loc[-1])
        key = str(loc[-1])
        allowed = sorted(_keys(schema, source, path))
        hint = did_you_mean(key, allowed)
        message = f"unknown key {quote(key)}{hint or '; remove it'}" + (
            f" (keys: {', '.join(allowed)})" if allowed else ""
        )
        return source.fault((*path, key), message, at_key=True)
    path = _path(loc if kind != "missing" else loc[:-1], source, details)
    if kind == "missing":
        key = str(loc[-1])
        wanted = _expected(schema, source, (*path, key))
        return source.fault(path, f"key {quote(key)} is missing; add it" + (f": {wanted}" if wanted else ""))
    return source.fault(path, _message(details, source, schema, path))


def _message(details: ErrorDetails, source: YamlSource, schema: Schema, path: DataPath) -> str:
    name, value, context = _name(path), source.get(path), details.get("ctx", {})
    if details["type"] in {"value_error", "assertion_error"}:
        return f"{name}{context.get('error', details['msg'])}"
    if details["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        key = str(context.get("discriminator", "kind")).strip("'")
        words = re.findall(r"'([^']*)'", str(context.get("expected_tags", ""))) or _tags(schema, source, path)
        if details["type"] == "union_tag_not_found":
            return f"{name}key {quote(key)} is missing; add it: {either(words)}"
        return f"{name}{key}: expected {either(words)}, got {quote(str(context['tag']))}{_hint(context['tag'], words)}"
    wanted = _expected(schema, source, path)
    if not wanted:
        return f"{name}{details['msg']}, got {got(value)}"
    words = [word for option in _at(schema, source, path) for word in _words(option)]
    return f"{name}expected {wanted}, got {_measured(value, details['type'])}{_hint(value, words)}"


def _hint(value: object, words: list[str]) -> str:
    return did_you_mean(value, words) if isinstance(value, str) else ""


def _measured(value: object, kind: str) -> str:
    """What was found; with its length, where the length is what is wrong."""
    if kind == "string_too_long" and isinstance(value, str):
        return f"{len(value.strip())} characters"
    return got(value)


def _name(path: DataPath) -> str:
    """``goals[2].need: `` as messages begin; nothing for the whole file."""
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return f"{quote(text)[1:-1]}: " if text else ""


# --- loc to path ---------------------------------------------------------------------------------------------------


def _path(loc: tuple[str | int, ...], source: YamlSource, details: ErrorDetails, *, inner: object = None) -> DataPath:
    """The data path that ``loc`` means: its parts without those that are a union's tags.

    Where a tag is also a key of the data, the reading counts at whose end stands the value that pydantic complains of.
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
    if isinstance(part, str):
        yield from _readings(rest, path, source)


# --- what is allowed, from the JSON schema -------------------------------------------------------------------------


@functools.cache
def _schema(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def _resolve(option: Schema, root: Schema) -> Schema:
    while "$ref" in option:
        option = root["$defs"][str(option["$ref"]).rsplit("/", 1)[-1]]
    return option


def _options(option: Schema, root: Schema, value: object) -> list[Schema]:
    """A schema as its alternatives; of a discriminated union only the one that the data's tag chooses."""
    option = _resolve(option, root)
    tagged = option.get("discriminator")
    if tagged and isinstance(value, dict) and value.get(tagged["propertyName"]) in tagged.get("mapping", {}):
        return _options({"$ref": tagged["mapping"][value[tagged["propertyName"]]]}, root, value)
    several = [*option.get("anyOf", ()), *option.get("oneOf", ()), *option.get("allOf", ())]
    return [found for inner in several for found in _options(inner, root, value)] if several else [option]


def _at(root: Schema, source: YamlSource, path: DataPath) -> list[Schema]:
    """The alternatives that the schema allows at ``path``."""
    found = _options(root, root, source.get(()))
    for depth, part in enumerate(path):
        value = source.get(path[: depth + 1])
        inner = [schema for option in found if (schema := _inside(option, part)) is not None]
        found = [option for schema in inner for option in _options(schema, root, value)]
    return found


def _inside(option: Schema, part: str | int) -> Schema | None:
    inner: object
    if isinstance(part, int):
        fixed = option.get("prefixItems", [])
        inner = fixed[part] if part < len(fixed) else option.get("items")
    else:
        inner = option.get("properties", {}).get(part, option.get("additionalProperties"))
    return inner if isinstance(inner, Mapping) else None


def _keys(root: Schema, source: YamlSource, path: DataPath) -> set[str]:
    return {key for option in _at(root, source, path) for key in option.get("properties", {})}


def _tags(root: Schema, source: YamlSource, path: DataPath) -> list[str]:
    kinds = [option.get("properties", {}).get("kind", {}) for option in _at(root, source, path)]
    return [word for kind in kinds for word in _words(kind)] or ["one of its words"]


def _words(option: Schema) -> list[str]:
    """The words that an option lists."""
    listed = [option["const"]] if "const" in option else option.get("enum", [])
    return [word for word in listed if isinstance(word, str)]


def _expected(root: Schema, source: YamlSource, path: DataPath) -> str:
    """What may stand at ``path``: ``"a number from 0 to 2"``; ``""`` where the schema does not say."""
    texts = dict.fromkeys(_describe(option) for option in _at(root, source, path))
    return either(list(texts)) if texts and "" not in texts else ""


def _describe(option: Schema) -> str:
    if "const" in option or "enum" in option:
        return either([option["const"]] if "const" in option else option["enum"])
    match option.get("type"):
        case "string":
            return _describe_text(option)
        case "integer" | "number":
            return ("a whole number" if option["type"] == "integer" else "a number") + _bounds(option)
        case "boolean":
            return "true or false"
        case "null":
            return "nothing"
        case "array":
            low, high = option.get("minItems"), option.get("maxItems")
            return "a list" + _between("of", low, high, " items")
        case "object":
            keys = list(option.get("properties", {}))
            return "a mapping" + (f" with the keys {', '.join(keys)}" if keys else "")
    return ""


def _describe_text(option: Schema) -> str:
    low, high, pattern = option.get("minLength"), option.get("maxLength"), option.get("pattern")
    if pattern:
        return _PATTERNS.get(pattern, f"text that matches {pattern}") + (f" (at most {high})" if high else "")
    return "text" + _between("of", low, high, " characters")


def _bounds(option: Schema) -> str:
    low, high = option.get("minimum"), option.get("maximum")
    above, below = option.get("exclusiveMinimum"), option.get("exclusiveMaximum")
    if above is None and below is None:
        return _between("from", low, high, "")
    parts = [
        (f"above {_number(above)}" if above is not None else f"at least {_number(low)}" if low is not None else "")
    ]
    parts.append(
        f"below {_number(below)}" if below is not None else f"at most {_number(high)}" if high is not None else ""
    )
    return " " + " and ".join(part for part in parts if part)


def _between(word: str, low: float | None, high: float | None, unit: str) -> str:
    if low is None and high is None:
        return ""
    if low is not None and high is not None:
        return f" {word} {_number(low)} to {_number(high)}{unit}"
    return f" {'of ' if word == 'of' else ''}at {'most' if low is None else 'least'} {_number(high if low is None else low)}{unit}"


def _number(value: float | None) -> str:
    return f"{value:g}" if value is not None else ""
