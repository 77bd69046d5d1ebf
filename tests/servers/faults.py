"""What goes wrong, and when: drawn from a seed, the request, and how often that request came before.

So the order in which requests arrive changes nothing, and no request fails more than ``in_a_row`` times running.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from holdfast.core.seeds import derive_seed
from tests.servers.kinds import Fault

#: Every fault equally often.
EVERY: Mapping[Fault, float] = dict.fromkeys(get_args(Fault), 1.0)


@dataclass(frozen=True, slots=True)
class Faults:
    """``rate``: the share of requests that meet one; ``weights``: how often each kind, relative to the others."""

    rate: float = 0.0
    seed: int = 0
    weights: Mapping[Fault, float] = field(default_factory=lambda: EVERY)
    in_a_row: int = 3

    def draw(self, digest: bytes, attempt: int) -> Fault | None:
        """The fault that the request's ``attempt``-th arrival (from 0) meets; None: it is answered."""
        if not self.rate or attempt >= self.in_a_row:
            return None
        rng = np.random.default_rng(derive_seed(self.seed, digest.hex(), attempt))
        if rng.random() >= self.rate:
            return None
        kinds, weights = list(self.weights), np.array(list(self.weights.values()))
        return kinds[rng.choice(len(kinds), p=weights / weights.sum())]


CALM = Faults()
