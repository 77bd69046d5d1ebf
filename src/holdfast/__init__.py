"""holdfast: simulated people talk with assistants over many turns; does empathy hold?

``from holdfast import Study`` runs a study from Python. Nothing heavy is imported before a study runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.simulator.api import Run, Study

__all__ = ["Run", "Study"]


def __getattr__(name: str) -> Any:
    """Import the API when it is first asked for (PEP 562), so that ``holdfast --help`` stays instant."""
    if name in __all__:
        from holdfast.simulator import api

        return getattr(api, name)
    raise AttributeError(f"module 'holdfast' has no attribute {name!r}")
