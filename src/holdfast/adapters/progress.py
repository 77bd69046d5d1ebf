"""The callback through which training reports its progress."""

from typing import Protocol


class StageProgress(Protocol):
    """Receives a short label of the stage and how many of its ``total`` steps are done. Called often; must be fast."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing; the default :class:`StageProgress`."""
