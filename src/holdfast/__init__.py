"""holdfast: simulated people talk with assistants over many turns; does empathy hold?

``from holdfast import Study`` runs a study from Python. Nothing heavy is imported before a study runs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.agents.protocols import GenerationRequest, Message, Sampling
    from holdfast.agents.registry import register_function
    from holdfast.simulator.api import Run, Study, measure, open_model
    from holdfast.simulator.on_ray.cluster import ray_executor

__all__ = [
    "GenerationRequest",
    "Message",
    "Run",
    "Sampling",
    "Study",
    "measure",
    "open_model",
    "ray_executor",
    "register_function",
]

_MODULES = {
    "holdfast.agents.protocols": ("GenerationRequest", "Message", "Sampling"),
    "holdfast.agents.registry": ("register_function",),
    "holdfast.simulator.api": ("Run", "Study", "measure", "open_model"),
    "holdfast.simulator.on_ray.cluster": ("ray_executor",),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for (PEP 562), so that ``holdfast --help`` stays instant."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'holdfast' has no attribute {name!r}")
