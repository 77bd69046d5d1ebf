"""When a request is tried again, and after how long: tenacity's rules, a run's budget, an endpoint's breaker.

Backoff doubles from ``BASE_S`` with full jitter (Brooker, "Exponential backoff and jitter", AWS 2015). The jitter comes
from a generator of its own, seeded by the request, so neither texts nor other draws depend on what went wrong.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from holdfast.agents.models.served.circuit_breaker import Breaker
from holdfast.agents.models.served.failures import EndpointError, TransientError
from holdfast.agents.models.served.halt import halted, halting
from holdfast.agents.models.usage import Usage
from holdfast.core.errors import ModelError
from holdfast.core.seeds import derive_seed

BASE_S, LONGEST_S = 0.25, 30.0
SLOW_S = 5.0  # without an answer to the request that all others wait for, after which the user is told

_log = logging.getLogger("holdfast.models")
Answer = TypeVar("Answer")


@dataclass
class RetryBudget:
    """How many retries all requests of a run may make together."""

    most: int
    spent: int = 0


@dataclass
class Call:
    """One request to ``model``, tried until it is answered, refused, or given up."""

    where: str
    seed: int
    retries: int
    budget: RetryBudget
    breaker: Breaker
    usage: Usage
    model: str = ""
    _uncounted: int = 0  # failed tries of an endpoint that is away: how often it is asked is the breaker's to say
    _answers: int | None = None  # of the endpoint, when this call failed last

    async def run(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer of the first attempt that gives one.

        Raises:
            EndpointError: a refusal, every try failed, or no retry is left.
            HaltedError: the run is being stopped, and this call was waiting.
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
            retry=retry_if_exception_type(TransientError),
            wait=self._wait,
            stop=self._stop,
            sleep=halting().sleep,
            reraise=True,
        )
        try:
            return await policy(attempt_or_first)
        except TransientError as failure:
            if self.breaker.given_up:
                raise EndpointError(f"{self.breaker.farewell}, the last: {failure}", failure.cause) from None
            tries = policy.statistics["attempt_number"]
            why = "; the run's retry budget is spent" if self.budget.spent >= self.budget.most else ""
            last = failure if self.breaker.contact.answered else failure.with_advice
            message = f"{self.where} did not answer in {tries} tries, the last: {last}{why}"
            raise EndpointError(message, failure.cause) from None

    async def _once(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        probe = await self.breaker.enter(self.model)
        try:
            answer = await (self._probe(attempt) if probe else attempt())
        except TransientError as failure:
            self._failed(failure)
            self._uncounted += self._is_outage(failure, probe=probe)
            raise
        except EndpointError as error:
            self.breaker.refused(self.model, error)
            raise
        except ModelError:
            self.breaker.answered()
            raise
        except BaseException:
            if probe:
                self.breaker.left()
            raise
        self.breaker.answered(self.model)
        if self.usage.notices:
            self.usage.notices.pop(self.where, None)
        return answer

    async def _probe(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make the attempt, unless the run is stopped meanwhile: all others wait for it. A long silence is shown."""
        trying = asyncio.ensure_future(attempt())
        ending = asyncio.ensure_future(halting().wait())
        slow = f"{self.where} has not answered yet; its first answer is waited for"
        later = asyncio.get_running_loop().call_later(SLOW_S, self.usage.notices.setdefault, self.where, slow)
        try:
            await asyncio.wait({trying, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not trying.done():
                raise halted()
            return trying.result()
        finally:
            later.cancel()
            ending.cancel()
            trying.cancel()
            await asyncio.gather(trying, return_exceptions=True)

    def _failed(self, failure: TransientError) -> None:
        """Tell the breaker; where it pauses now, show why. An endpoint that never answered may be given up here."""
        breaker, known = self.breaker, self.breaker.contact.answered
        try:
            pauses = breaker.failed(failure.wait_s) if known else breaker.failed_first(failure)
        except EndpointError as error:
            raise error from None
        if pauses:
            self.usage.pauses += known
            patience = breaker.patience_s if known or failure.first_sign == "busy" else breaker.contact.wait_s
            upto = f", for up to {patience:g} s" if patience else ""
            self.usage.notices[self.where] = f"{self.where} does not answer: {failure}; it is asked again{upto}"
            _log.info("%s is left alone for a while: %s", self.where, failure)

    def _is_outage(self, failure: TransientError, *, probe: bool) -> bool:
        """Whether the endpoint is away for all, which ``patience_s`` ends, and not ``retries``.

        A call that is alone with its endpoint would else be given up before the breaker has opened.
        """
        contact, answers = self.breaker.contact, self._answers
        self._answers = self.breaker.answers
        if probe:
            return contact.answered or contact.waits
        return contact.answered and failure.of_all and answers in (None, self._answers)

    def _stop(self, state: RetryCallState) -> bool:
        """Whether the failure just met is the last."""
        tried = state.attempt_number - self._uncounted > self.retries
        if tried or self.breaker.given_up or self.budget.spent >= self.budget.most:
            return True
        failure = state.outcome.exception() if state.outcome is not None else None
        self.budget.spent += 1
        self.usage.retries[failure.cause if isinstance(failure, TransientError) else "other"] += 1
        return False

    def _wait(self, state: RetryCallState) -> float:
        """A pause of the breaker is waited for in front of it, so that the next probe is never late."""
        return backoff(self.seed, state.attempt_number) if self.breaker.state == "closed" else 0.0


def backoff(seed: int, attempt: int) -> float:
    """Return the seconds before the try after ``attempt`` (from 1): uniform in [0, min(30, 0.25 * 2^(attempt - 1))]."""
    ceiling = min(LONGEST_S, BASE_S * 2 ** (attempt - 1))
    return float(np.random.default_rng(derive_seed("backoff", seed, attempt)).uniform(0, ceiling))
