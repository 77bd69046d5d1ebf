"""What a pydantic model allows at a path of a file, read from its JSON schema and put into words."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from holdfast.core.wording import either
from holdfast.core.yaml_source import DataPath, YamlSource

Schema = Mapping[str, Any]

_PATTERNS = {r"^[a-z][a-z0-9_]*$": "lower-case letters, digits and _, beginning with a letter"}


@functools.cache
def schema_of(model: type[BaseModel]) -> Schema:
    """Return the JSON schema of a model."""
    return model.model_json_schema()


def _resolve(option: Schema, root: Schema) -> Schema:
    while "$ref" in option:
        option = root["$defs"][str(option["$ref"]).rsplit("/", 1)[-1]]
    return option


def _options(option: Schema, root: Schema, value: object) -> list[Schema]:
    """Return the alternatives of a schema; of a discriminated union only the one that the data's tag chooses."""
    option = _resolve(option, root)
    tagged = option.get("discriminator")
    if tagged and isinstance(value, dict) and value.get(tagged["propertyName"]) in tagged.get("mapping", {}):
        return _options({"$ref": tagged["mapping"][value[tagged["propertyName"]]]}, root, value)
    several = [*option.get("anyOf", ()), *option.get("oneOf", ()), *option.get("allOf", ())]
    return [leaf for inner in several for leaf in _options(inner, root, value)] if several else [option]


def options_at(root: Schema, source: YamlSource, path: DataPath) -> list[Schema]:
    """Return the alternatives that the schema allows at ``path``."""
    options = _options(root, root, source.get(()))
    for depth, part in enumerate(path):
        value = source.get(path[: depth + 1])
        inner = [schema for option in options if (schema := _inside(option, part)) is not None]
        options = [option for schema in inner for option in _options(schema, root, value)]
    return options


def _inside(option: Schema, part: str | int) -> Schema | None:
    inner: object
    if isinstance(part, int):
        fixed = option.get("prefixItems", [])
        inner = fixed[part] if part < len(fixed) else option.get("items")
    else:
        inner = option.get("properties", {}).get(part, option.get("additionalProperties"))
    return inner if isinstance(inner, Mapping) else None


def keys_at(root: Schema, source: YamlSource, path: DataPath) -> set[str]:
    """Return the keys that the mapping at ``path`` may have."""
    return {key for option in options_at(root, source, path) for key in option.get("properties", {})}


def tags_at(root: Schema, source: YamlSource, path: DataPath) -> list[str]:
    """Return the words that choose between the alternatives at ``path``."""
    kinds = [option.get("properties", {}).get("kind", {}) for option in options_at(root, source, path)]
    return [word for kind in kinds for word in listed_words(kind)] or ["one of its words"]


def listed_words(option: Schema) -> list[str]:
    """Return the words that an option lists."""
    listed = [option["const"]] if "const" in option else option.get("enum", [])
    return [word for word in listed if isinstance(word, str)]


def expected_at(root: Schema, source: YamlSource, path: DataPath) -> str:
    """Describe what may stand at ``path``: ``"a number from 0 to 2"``; ``""`` where the schema does not say."""
    options = options_at(root, source, path)
    mappings = [option for option in options if option.get("type") == "object"]
    if len(mappings) > 1:  # alternatives: their keys would not fit into a sentence
        tags = [word for option in mappings for word in listed_words(option.get("properties", {}).get("kind", {}))]
        wanted = f"a mapping whose kind is {either(tags)}" if tags else "a mapping"
        options = [*(option for option in options if option not in mappings), {"const": wanted}]
    texts = dict.fromkeys(_describe(option) for option in options)
    return either(list(texts)) if texts and "" not in texts else ""


def _describe(option: Schema) -> str:
    if "const" in option or "enum" in option:
        return either([option["const"]] if "const" in option else option["enum"])
    describe = _DESCRIBED.get(option.get("type", ""))
    return describe(option) if describe else ""


def _text(option: Schema) -> str:
    pattern, high = option.get("pattern"), option.get("maxLength")
    if pattern:
        return str(_PATTERNS.get(pattern, f"text that matches {pattern}")) + (f" (at most {high})" if high else "")
    return f"text{_counted(option, 'Length', 'characters')}"


def _mapping(option: Schema) -> str:
    keys = list(option.get("properties", {}))
    return "a mapping" + (f" with the keys {', '.join(keys)}" if keys else "")


def _counted(option: Schema, what: str, unit: str) -> str:
    """Return `` of 1 to 80 characters``, `` of at least 3 items``."""
    bounds = _range(option.get(f"min{what}"), option.get(f"max{what}"))
    return f" of {bounds} {unit}" if bounds else ""


def _number(option: Schema) -> str:
    noun = "a whole number" if option["type"] == "integer" else "a number"
    if "multipleOf" in option:
        noun = "an even number" if option["multipleOf"] == 2 else f"a multiple of {option['multipleOf']}"
    low, high = option.get("minimum"), option.get("maximum")
    if low is not None and high is not None:
        return f"{noun} from {_exact(low)} to {_exact(high)}"
    bounds = {"above": option.get("exclusiveMinimum"), "at least": low}
    bounds |= {"below": option.get("exclusiveMaximum"), "at most": high}
    texts = [f"{word} {_exact(value)}" for word, value in bounds.items() if value is not None]
    return f"{noun} {' and '.join(texts)}" if texts else noun


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return _exact(low) if low == high else f"{_exact(low)} to {_exact(high)}"
    if low is not None:
        return f"at least {_exact(low)}"
    return f"at most {_exact(high)}" if high is not None else ""


def _exact(bound: float) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


_DESCRIBED: Mapping[str, Callable[[Schema], str]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "boolean": lambda _: "true or false",
    "null": lambda _: "nothing",
    "array": lambda option: f"a list{_counted(option, 'Items', 'items')}",
    "object": _mapping,
}
