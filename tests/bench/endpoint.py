"""The same study over a real server on loopback: the scripted one, in a process of its own, a second a request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.model import ServedChatModel
from tests.bench.measure import Measure
from tests.bench.orchestration import AT_ONCE, LATENCY_S, throughput, who
from tests.bench.people import hold, plan, session
from tests.launch import LAUNCH


@contextmanager
def scripted_server(*options: str) -> Iterator[str]:
    """Its base URL, while it runs."""
    command = [sys.executable, LAUNCH, "tests.servers", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def over_loopback(*, scripted: bool, turns: int = 20) -> list[Measure]:
    """256 conversations at once, each request over a socket; in wall-clock seconds, which a busy machine stretches.

    Opening the 256 connections is part of it, importing the client library is not: a few turns before see to that.
    """
    with scripted_server("--latency", str(LATENCY_S)) as url:
        model = ServedChatModel(Endpoint(url, limits=EndpointLimits(concurrency=AT_ONCE)), "scripted")
        hold(session(plan(4, 2), model, scripted=scripted))  # warm
        took = hold(session(plan(AT_ONCE, turns, concurrency=AT_ONCE), model, scripted=scripted))
    what = f"{AT_ONCE} conversations over a loopback server of {LATENCY_S:g} s, {who(scripted)}"
    return throughput(what, took, turns)


def measures(scratch: Path) -> list[Measure]:
    """Both kinds of people."""
    return [*over_loopback(scripted=True), *over_loopback(scripted=False)]
