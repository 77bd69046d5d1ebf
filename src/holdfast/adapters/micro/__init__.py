"""The embedded base model: a small Llama, the synthetic world that it is trained on, and its build recipe."""

import json
from pathlib import Path
from typing import Any


def base_path() -> Path:
    """Return the folder of the shipped base model, ready for ``from_pretrained``."""
    return Path(__file__).parent / "base"


def ablation() -> list[dict[str, Any]] | None:
    """Return how long a prompt holds on bases of each recipe, one row per recipe; None where it was not measured.

    `holdfast micro ablation` measured it for the shipped recipes (see :mod:`holdfast.simulator.cli.micro.ablation`).
    """
    path = base_path().parent / "ablation.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
