"""A batch under fire: faults at random, and a process that is killed again and again and resumed.

``python tests/launch.py tests.bench.fault_run [--conversations 200] [--turns 30] [--kills 10] [--rate 0.05]`` holds the
batch over the scripted server, which injects every fault that it knows; with ``--in-process`` over a model that raises.
Prints a table of the faults met, and whether every turn is there once and equals a calm run. ``… child …`` is the
process that is killed.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import click
from rich.console import Console
from rich.table import Table

from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.protocols import ChatModel, Generation, GenerationRequest
from holdfast.core.errors import ModelError
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.measure.transcripts import transcripts_sha256
from tests.bench.endpoint import scripted_server
from tests.bench.people import plan, session
from tests.launch import LAUNCH
from tests.simulator.engine.studies import run
from tests.simulator.scripted import HashModel

FAULTS: tuple[Exception, ...] = (
    ModelError("the endpoint answered 429: too many requests"),
    ModelError("the endpoint answered 500"),
    TimeoutError("no answer within 30 s"),
    ConnectionResetError(104, "Connection reset by peer"),
    ValueError("Expecting ',' delimiter: line 1 column 41 (char 40)"),
)
LONGEST_S = 900.0


class Failing:
    """Fails truly at random, each time anew; what it says when it answers follows from the request alone.

    ``rate``: share of requests that fail; each failure is a line in ``log``, which outlives the process."""

    id = "failing"

    def __init__(self, rate: float, log: Path) -> None:
        self._rate, self._log, self._model = rate, log, HashModel()

    async def generate(self, request: GenerationRequest) -> Generation:
        await asyncio.sleep(0.002 * random.random())
        if random.random() < self._rate:
            fault = random.choice(FAULTS)
            with self._log.open("a") as file:
                file.write(f"{type(fault).__name__}: {fault}\n")
            raise fault
        made = await self._model.generate(request)
        self._model.requests.clear()
        return made


@dataclass(frozen=True)
class Result:
    """``met``: faults by kind, kills included; ``equal``: the transcripts are those of a calm run."""

    met: Counter[str]
    starts: int
    turns: int
    twice: int
    missing: int
    equal: bool

    @property
    def well(self) -> bool:
        return self.equal and not self.twice and not self.missing


def model(word: str, log: Path) -> ChatModel:
    """``word``: an endpoint's URL, or the share of requests that a model in this process fails."""
    if word.startswith("http"):
        return ServedChatModel(Endpoint(word, limits=EndpointLimits(timeout_s=5.0, retries=8)), "scripted")
    return Failing(float(word), log)


def study(conversations: int, turns: int) -> Plan:
    return plan(conversations, turns, concurrency=32)


def child(out: Path, conversations: int, turns: int, word: str, log: Path) -> None:
    """Begin the batch in ``out``, or go on with it; failed conversations are tried again."""
    run(session(study(conversations, turns), model(word, log), scripted=True), out, resume=True)


def fault_run(scratch: Path, *, conversations: int, turns: int, kills: int, rate: float, served: bool) -> Result:
    """Kill the batch ``kills`` times, spread over its turns, then let it run until nothing is owed or failed."""
    asked, out, log = study(conversations, turns), scratch / "run", scratch / "faults.log"
    if not served:
        met, starts = under_fire(asked, out, str(rate), log, kills)
        met.update(log.read_text().splitlines() if log.exists() else ())
        return compare(asked, out, scratch / "calm", model("0.0", log), met, starts)
    with scripted_server("--fault-rate", str(rate), "--seed", "3", "--patience", "6") as url:
        met, starts = under_fire(asked, out, url, log, kills)
        with urlopen(url.removesuffix("/v1") + "/met") as answer:
            met.update(json.load(answer)["met"])
    with scripted_server() as url:
        return compare(asked, out, scratch / "calm", model(url, log), met, starts)


def under_fire(asked: Plan, out: Path, word: str, log: Path, kills: int) -> tuple[Counter[str], int]:
    """Kills, and how often the batch was started."""
    turns, conversations = asked.study.turns, len(asked.episodes)
    script = [sys.executable, LAUNCH, "tests.bench.fault_run", "child", str(out)]
    command = [*script, str(conversations), str(turns), word, str(log)]
    met: Counter[str] = Counter()
    rng = random.Random(kills)
    for number in range(1, kills + 1):
        process = subprocess.Popen(command)
        wait_for(out, int(conversations * turns * (number - rng.random()) / (kills + 1)), process)
        process.send_signal(signal.SIGKILL)
        met["SIGKILL of the batch"] += process.wait() == -signal.SIGKILL
    for start in range(kills + 1, kills + 50):
        subprocess.run(command, check=True)
        with Journal.read(out / "journal.sqlite") as journal:
            if not journal.count().failed:
                return met, start
    raise AssertionError("conversations went on failing")


def wait_for(out: Path, turns: int, process: subprocess.Popen[bytes]) -> None:
    """Until the batch has finished so many turns, or its process has."""
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < LONGEST_S:
        if (out / "journal.sqlite").exists():
            with Journal.read(out / "journal.sqlite") as journal:
                if journal.count().turns >= turns:
                    return
        time.sleep(0.02)


def compare(asked: Plan, out: Path, calm_out: Path, calm: ChatModel, met: Counter[str], starts: int) -> Result:
    """What the batch left, beside a run in peace."""
    run(session(asked, calm, scripted=True), calm_out)
    found, peaceful = read_episodes(out / "journal.sqlite"), read_episodes(calm_out / "journal.sqlite")
    there = Counter((turn.episode_id, turn.turn) for episode in found for turn in episode.turns)
    wanted = {(spec.id, turn) for spec in asked.episodes for turn in range(1, spec.max_turns + 1)}
    return Result(
        met,
        starts,
        turns=there.total(),
        twice=sum(count > 1 for count in there.values()),
        missing=len(wanted - there.keys()),
        equal=transcripts_sha256(found) == transcripts_sha256(peaceful) and found == peaceful,
    )


@click.command()
@click.option("--conversations", default=200, show_default=True)
@click.option("--turns", default=30, show_default=True)
@click.option("--kills", default=10, show_default=True)
@click.option("--rate", default=0.05, show_default=True, help="Share of requests that fail.")
@click.option("--in-process", is_flag=True, help="A model that raises, instead of a server.")
def main(conversations: int, turns: int, kills: int, rate: float, in_process: bool) -> None:
    """Run the batch under fire and print what it met."""
    size = {"conversations": conversations, "turns": turns, "kills": kills}
    with tempfile.TemporaryDirectory() as folder:
        result = fault_run(Path(folder), **size, rate=rate, served=not in_process)
    table = Table("fault met", "times")
    for fault, times in result.met.most_common():
        table.add_row(fault, str(times))
    Console().print(table)
    print(
        f"{result.turns:,} turns of {conversations * turns:,}, {result.twice} twice, {result.missing} missing, "
        f"{result.starts} starts; transcripts {'equal' if result.equal else 'DIFFERENT from'} a calm run"
    )
    sys.exit(0 if result.well else 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], Path(sys.argv[6]))
    else:
        main()
