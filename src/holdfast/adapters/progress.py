"""How the pipeline tells how far it is, without knowing who looks on."""

from __future__ import annotations

from typing import Protocol


class StageProgress(Protocol):
    """Called often; must be quick. ``stage`` is a few words for people, ``done`` of ``total`` steps are behind."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


def silent(stage: str, done: int, total: int) -> None:
    """A :class:`StageProgress` that says nothing."""
