"""What a run may spend: minutes, tokens, money. A budget that is spent stops the run; no turn is cut off."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

from pydantic import Field

from holdfast.core.yaml_source import MAX_NUMBER
from holdfast.personas.schema import Frozen

#: What a run's models count beside its turns (requests, retries, tokens, cost), by name; totals of this process.
Counters = Callable[[], Mapping[str, float]]
COST = "cost_usd"
MAX_LIMIT = 1e9  # minutes or dollars; more is a slip of the pen, and no clock counts it


class BudgetSpec(Frozen):
    """A study's limits; None is without limit. ``tokens`` and ``cost_usd`` count over all resumes, ``minutes`` a call.

    ``tokens`` are the prompt and completion tokens of the candidates' replies. What is in flight when a budget is spent
    is finished and kept, so a run may end a little above it.
    """

    minutes: Annotated[float, Field(gt=0, le=MAX_LIMIT)] | None = None
    tokens: Annotated[int, Field(gt=0, le=MAX_NUMBER)] | None = None
    cost_usd: Annotated[float, Field(gt=0, le=MAX_LIMIT)] | None = None


class Spending:
    """What has been spent so far, held against a budget."""

    def __init__(self, budget: BudgetSpec, stop: Callable[[str], None], tokens: int) -> None:
        """``stop``: called with the reason. ``tokens``: spent by earlier calls."""
        self._budget = budget
        self._stop = stop
        self._tokens = tokens

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Stop the run when the minutes are over, also where no turn finishes by then."""
        if self._budget.minutes is None:
            yield
            return
        why = f"the budget of {self._budget.minutes:g} minutes is spent"
        timer = asyncio.get_running_loop().call_later(60 * self._budget.minutes, self._stop, why)
        try:
            yield
        finally:
            timer.cancel()

    def add(self, tokens: int, counters: Counters) -> None:
        """After a turn: ``tokens`` of its own, ``counters`` over all calls."""
        self._tokens += tokens
        if self._budget.tokens is not None and self._tokens >= self._budget.tokens:
            self._stop(f"the budget of {self._budget.tokens:,} tokens is spent")
        if self._budget.cost_usd is not None and counters().get(COST, 0.0) >= self._budget.cost_usd:
            self._stop(f"the budget of ${self._budget.cost_usd:g} is spent")
