"""The same study over a real server on loopback: the scripted one, in a process of its own, 200 ms a request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.model import ServedChatModel
from tests.bench.measure import Measure
from tests.bench.orchestration import AT_ONCE, LATENCY_S
from tests.bench.people import hold, plan, troupe
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


def over_loopback(*, scripted: bool, turns: int = 20) -> Measure:
    """256 conversations at once, each request over a socket; wall-clock seconds, as in ``slow_endpoint``.

    Opening the 256 connections is part of it, importing the client library is not: a few turns before see to that.
    """
    study = plan(AT_ONCE, turns, concurrency=AT_ONCE)
    with scripted_server("--latency", str(LATENCY_S)) as url:
        model = ServedChatModel(Endpoint(url, limits=EndpointLimits(concurrency=AT_ONCE)), "scripted")
        people = troupe(study, model, scripted=scripted)
        hold(plan(4, 2), people)  # warm
        took = hold(study, people)
    who = "scripted people" if scripted else "a study's own users and rater"
    what = (
        f"{AT_ONCE} conversations over a loopback server of {1000 * LATENCY_S:.0f} ms, {who} ({took.cpu:.1f} s of CPU)"
    )
    return Measure(what, took.wall, "the endpoint's time alone", turns * LATENCY_S, "s", "ratio at least 0.85")


def measures(scratch: Path) -> list[Measure]:
    """Both kinds of people."""
    return [over_loopback(scripted=True), over_loopback(scripted=False)]
