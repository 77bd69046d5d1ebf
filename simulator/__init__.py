"""What happens: studies, conversations, the engine that runs them, measurement, reports and the command line.

``from simulator import Study`` runs a study from Python; nothing heavy is imported before it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.api import Finished, Study

__all__ = ["Finished", "Study"]


def __getattr__(name: str) -> Any:
    """Import the API when it is first asked for (PEP 562), so that ``holdfast --help`` stays instant."""
    if name in __all__:
        from simulator import api

        return getattr(api, name)
    raise AttributeError(f"module 'simulator' has no attribute {name!r}")
