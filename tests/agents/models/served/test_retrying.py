"""Waiting, breaking and giving up, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.served.circuit_breaker import Breaker
from holdfast.agents.models.served.failures import EndpointError, TransientError
from holdfast.agents.models.served.halt import Halt
from holdfast.agents.models.served.refusals import Asked, refusal, retry_after
from holdfast.agents.models.served.retrying import BASE_S, LONGEST_S, Call, RetryBudget, backoff
from holdfast.agents.models.usage import Usage
from holdfast.core.errors import ModelError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock, **more: float) -> Breaker:
    return Breaker("http://x/v1", after=3, clock=clock, **more)  # type: ignore[arg-type]


async def test_failures_in_a_row_open_it_and_one_probe_closes_it() -> None:
    clock = Clock()
    one = breaker(clock)
    assert [one.failed() for _ in range(3)] == [False, False, True]
    assert one.state == "open"
    clock.now = 1.0  # the first pause is 1 s
    assert await one.enter() is True
    assert one.state == "half open"
    waiting = asyncio.create_task(one.enter())
    await asyncio.sleep(0)
    assert not waiting.done()
    one.answered()
    assert await waiting is False
    assert one.state == "closed"


async def test_an_answer_in_between_starts_the_count_again() -> None:
    one = breaker(Clock())
    for _ in range(5):
        assert not one.failed()
        assert not one.failed()
        one.answered()
    assert one.state == "closed"


async def test_pauses_double_up_to_a_minute() -> None:
    clock = Clock()
    one = breaker(clock)
    for _ in range(3):
        one.failed()
    pauses = []
    for _ in range(8):
        pauses.append(one._until - clock.now)
        clock.now = one._until
        assert await one.enter()
        one.failed()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_one_plea_to_wait_holds_everybody() -> None:
    clock = Clock()
    one = breaker(clock)
    assert one.failed(wait_s=7.0)
    assert (one.state, one._until) == ("open", 7.0)


async def test_patience_ends() -> None:
    clock = Clock()
    one = breaker(clock, patience_s=10)
    one.failed(wait_s=11)
    with pytest.raises(ModelError, match=r"http://x/v1 asks to wait 11 s, longer than patience_s \(10\)"):
        await one.enter()
    clock.now = 11.0
    assert await one.enter()  # another look is always free
    one.failed(wait_s=5)
    assert one.given_up
    with pytest.raises(ModelError, match="has not answered for over 10 s"):
        await one.enter()
    clock.now = 16.0
    await one.enter()
    one.answered()
    assert not one.given_up


async def test_a_cancelled_probe_leaves_its_place() -> None:
    clock = Clock()
    one = breaker(clock)
    one.failed(wait_s=1)
    clock.now = 1.0
    assert await one.enter()
    one.left()
    assert await one.enter()


@given(st.integers(0, 2**62), st.integers(1, 100))
def test_backoff_is_within_its_ceiling_and_the_same_again(seed: int, attempt: int) -> None:
    wait = backoff(seed, attempt)
    assert 0 <= wait <= min(LONGEST_S, BASE_S * 2 ** (attempt - 1))
    assert wait == backoff(seed, attempt)


def test_backoff_spreads() -> None:
    waits = [backoff(seed, 3) for seed in range(2000)]  # uniform on [0, 1]: mean .5, standard error .0065
    assert abs(sum(waits) / 2000 - 0.5) < 0.03


@pytest.mark.parametrize(
    ("failures", "budget", "tries"), [(0, 9, 1), (1, 9, 2), (2, 9, 3), (3, 9, 3), (3, 1, 2), (1, 0, 1)]
)
async def test_a_call_is_tried_once_more_than_its_retries(
    failures: int, budget: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two retries; each waits as long as its own backoff says."""
    waited: list[float] = []

    async def sleep(halt: Halt, seconds: float) -> None:
        waited.append(seconds)

    asked = 0

    async def attempt() -> str:
        nonlocal asked
        asked += 1
        if asked <= failures:
            raise TransientError("500", f"number {asked}")
        return "answer"

    monkeypatch.setattr(Halt, "sleep", sleep)
    call = Call("http://x/v1", 7, 2, RetryBudget(budget), Breaker("http://x/v1"), Usage())
    if failures < tries:
        assert await call.run(attempt) == "answer"
    else:
        spent = "; the run's retry budget is spent" if budget < 2 else ""
        told = rf"did not answer in {tries} tries, the last: 500 \(number {tries}\){spent}$"
        with pytest.raises(ModelError, match=told):
            await call.run(attempt)
    assert asked == tries
    assert call.budget.spent == call.usage.retries["500"] == tries - 1
    assert waited == [backoff(7, attempt) for attempt in range(1, tries)]


@pytest.mark.parametrize(("others_answered", "tries"), [(False, 20), (True, 4)])
async def test_an_outage_is_waited_for_by_a_lone_call_too(
    others_answered: bool, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty times nobody is there. Where others are answered meanwhile, it is no outage, and two retries are all."""
    breaker = Breaker("http://x/v1", clock=Clock(), first_pause_s=0.0, longest_pause_s=0.0)
    asked = 0

    async def sleep(halt: Halt, seconds: float) -> None: ...

    async def attempt() -> str:
        nonlocal asked
        asked += 1
        if others_answered:
            breaker.answered()
        if asked < 20:
            raise TransientError("503")
        return "answer"

    monkeypatch.setattr(Halt, "sleep", sleep)
    call = Call("http://x/v1", 7, 2, RetryBudget(99), breaker, Usage())
    if others_answered:
        with pytest.raises(ModelError, match="did not answer in 4 tries, the last: 503"):
            await call.run(attempt)
    else:
        assert await call.run(attempt) == "answer"
    assert asked == tries


def test_retry_after_in_seconds_and_as_a_date() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    date = format_datetime(now, usegmt=True)
    assert retry_after({"Retry-After": "12"}) == 12
    assert retry_after({"Retry-After": date}, now.timestamp() - 90) == 90
    assert retry_after({"Retry-After": date}, now.timestamp() + 90) == 0
    values = ("soon", "", "-5", "nan", "inf", "1e400")
    assert [retry_after({"Retry-After": value}) for value in values] == [None, None, 0, None, 1e6, 1e6]
    assert retry_after({}) is None
    assert retry_after({"retry-after-ms": "1500", "Retry-After": "60"}) == 1.5


def test_a_date_to_wait_for_is_read_on_the_clock_of_the_server() -> None:
    """Server and client may be minutes apart: what counts is how long the server means."""
    sent = datetime(2001, 1, 2, 3, 4, 5, tzinfo=UTC)
    until = sent + timedelta(seconds=7)
    dates = {"Date": format_datetime(sent, usegmt=True), "Retry-After": format_datetime(until, usegmt=True)}
    assert retry_after(dates) == 7


def meaning(status: int, body: bytes) -> TransientError | EndpointError:
    return refusal(status, {}, body, Asked("http://x/v1", "m", ApiKey()))


def say(status: int, body: bytes) -> str:
    return str(meaning(status, body))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"error": {"message": "no such thing", "code": 1}}', "no such thing"),
        (b'{"object": "error", "message": "no such thing"}', "no such thing"),
        (b'{"detail": "no such thing"}', "no such thing"),
        (b"<html><b>no such</b> thing</html>", "no such thing"),
        (b"\xff\xfe", ": \ufffd\ufffd"),
        (b"", "refuses the request to m (400)"),
    ],
)
def test_every_server_words_its_errors_differently(body: bytes, told: str) -> None:
    assert told in say(400, body)


def test_what_is_tried_again() -> None:
    kinds = {status: type(meaning(status, b"")) for status in range(400, 600)}
    again = {status for status, kind in kinds.items() if kind is TransientError}
    assert again == {408, 409, 425, 429, *range(500, 600)}
    assert "quota is spent" in say(429, b'{"error": {"message": "pay", "code": "insufficient_quota"}}')


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens.",  # OpenAI, vLLM
        "the request exceeds the available context size",  # llama.cpp
        "prompt is too long: 200001 tokens > 200000 maximum",
    ],
)
def test_a_conversation_that_is_too_long_is_told_as_such(message: str) -> None:
    assert "longer than m at http://x/v1 reads (400)" in say(400, message.encode())
