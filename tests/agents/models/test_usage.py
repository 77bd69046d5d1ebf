"""Counts that travel between processes: told piece by piece, added up, and nothing twice."""

from __future__ import annotations

import pickle
from dataclasses import replace

from holdfast.agents.models.spec import Prices
from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import Generation


def test_pieces_add_up_to_the_whole() -> None:
    far, here = Usage(Prices(prompt=2.0, completion=4.0)), Usage(Prices(prompt=2.0, completion=4.0), requests=1)
    for _ in range(3):
        far.requests += 1
        far.retries["timeout"] += 2
        far.answer(Generation("yes", prompt_tokens=100_000, completion_tokens=50_000))
        here.add(pickle.loads(pickle.dumps(far.take())))
    assert far.take() == replace(far)
    assert far.counters() == Usage(far.prices).counters()
    assert (here.requests, here.answered, here.retries) == (4, 3, {"timeout": 6})
    assert here.cost_usd == 1.2  # 3 x ($0.2 + $0.2)
