"""When a request is tried again, and after how long: tenacity's rules, a run's budget, an endpoint's breaker.

Backoff doubles from ``BASE_S`` with full jitter (Brooker, "Exponential backoff and jitter", AWS 2015). The jitter comes
from a generator of its own, seeded by the request, so neither texts nor other draws depend on what went wrong.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from holdfast.agents.models.served.circuit_breaker import Breaker
from holdfast.agents.models.served.failures import EndpointError, TransientError
from holdfast.agents.models.usage import Usage
from holdfast.core.errors import ModelError
from holdfast.core.seeds import derive_seed

BASE_S, LONGEST_S = 0.25, 30.0

_log = logging.getLogger("holdfast.models")
Answer = TypeVar("Answer")


@dataclass
class RetryBudget:
    """How many retries all requests of a run may make together."""

    most: int
    spent: int = 0


@dataclass
class Call:
    """One request, tried until it is answered, refused, or given up."""

    where: str
    seed: int
    retries: int
    budget: RetryBudget
    breaker: Breaker
    usage: Usage
    _probes: int = 0  # failed ones; how often an endpoint that is away is asked is the breaker's to say

    async def run(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of the first attempt that gives one.

        :raises EndpointError: a refusal, every try failed, or no retry is left.
        """
        try:
            return await self._once(attempt)
        except TransientError as failure:
            first = failure
        return await self._again(attempt, first)

    async def _again(self, attempt: Callable[[], Awaitable[Answer]], first: TransientError) -> Answer:
        """As the rules say, which hear of the ``first`` failure as of any other; answered calls need none of them."""
        met = [first]

        async def attempt_or_first() -> Answer:
            if met:
                raise met.pop()
            return await self._once(attempt)

        policy = AsyncRetrying(
            retry=retry_if_exception_type(TransientError), wait=self._wait, stop=self._stop, reraise=True
        )
        try:
            return await policy(attempt_or_first)
        except TransientError as failure:
            if self.breaker.given_up:
                raise EndpointError(f"{self.breaker.farewell}, the last: {failure}", failure.cause) from None
            tries = policy.statistics["attempt_number"]
            why = "; the run's retry budget is spent" if self.budget.spent >= self.budget.most else ""
            message = f"{self.where} did not answer in {tries} tries, the last: {failure}{why}"
            raise EndpointError(message, failure.cause) from None

    async def _once(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        probe = await self.breaker.enter()
        try:
            answer = await attempt()
        except TransientError as failure:
            self._probes += probe
            if self.breaker.failed(failure.wait_s):
                self.usage.pauses += 1
                _log.info("%s is left alone for a while: %s", self.where, failure)
            raise
        except ModelError:
            self.breaker.answered()  # a refusal is an answer
            raise
        except BaseException:
            if probe:
                self.breaker.left()
            raise
        self.breaker.answered()
        return answer

    def _stop(self, state: RetryCallState) -> bool:
        """Whether the failure just met is the last."""
        tried = state.attempt_number - self._probes > self.retries
        if tried or self.breaker.given_up or self.budget.spent >= self.budget.most:
            return True
        failure = state.outcome.exception() if state.outcome is not None else None
        self.budget.spent += 1
        self.usage.retries[failure.cause if isinstance(failure, TransientError) else "other"] += 1
        return False

    def _wait(self, state: RetryCallState) -> float:
        return backoff(self.seed, state.attempt_number)


def backoff(seed: int, attempt: int) -> float:
    """Seconds before the try after ``attempt`` (from 1): uniform in [0, min(30, 0.25 * 2^(attempt - 1))]."""
    ceiling = min(LONGEST_S, BASE_S * 2 ** (attempt - 1))
    return float(np.random.default_rng(derive_seed("backoff", seed, attempt)).uniform(0, ceiling))
