"""YAML from text in memory, as files are read."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.core.yaml_source import parse_yaml
from holdfast.personas.loading import Check, Model, validate_source


def load_text(text: str | bytes, model: type[Model], checks: Sequence[Check] = (), name: str = "<text>") -> Model:
    """What a file with this text would be read as. Raises InputError with its faults."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return validate_source(parse_yaml(data, name), model, checks)
