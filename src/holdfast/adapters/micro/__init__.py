"""The embedded base model: a small Llama, the world that it learned from, and how it is built."""

import json
from pathlib import Path
from typing import Any


def base_path() -> Path:
    """The folder of the shipped base model, ready for ``from_pretrained``."""
    return Path(__file__).parent / "base"


def ablation() -> list[dict[str, Any]] | None:
    """How long a prompt holds on bases of each recipe: what `holdfast micro ablation` measured for the shipped recipes,
    a row each (see :mod:`holdfast.simulator.runtime.ablation`); None where it was not run."""
    path = base_path().parent / "ablation.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
