"""A rater of another package, known for as long as a test takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pytest

from holdfast.agents.raters import registry
from holdfast.agents.raters.protocol import Passage, RaterIdentity, Rating, Scale
from holdfast.agents.raters.specs import RaterSpec


class DeskSpec(RaterSpec):
    """A rater of another package: only the opened rater says what its scale is."""

    kind: Literal["desk_of_another_package"] = "desk_of_another_package"


@dataclass(frozen=True)
class DeskRater:
    identity: RaterIdentity = RaterIdentity("desk", "1")
    scale: Scale = Scale("desk", ("clarity", "warmth"), 1, 5)

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return [Rating({"clarity": 5.0, "warmth": 3.0}) for _ in passages]


@pytest.fixture
def desk_rater(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let YAML say ``desk_of_another_package``, in this test alone."""
    monkeypatch.setattr(registry._KINDS, "entries", dict(registry._KINDS.entries))
    registry.register_rater("desk_of_another_package", DeskSpec, lambda _spec, _resources: DeskRater())
