"""The bot of ``examples/telecom`` as its README starts it: ``uvicorn bot:app``, and a study over the socket."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast import Study
from holdfast.simulator.journal.store import read_episodes

TELECOM = Path(__file__).parents[2] / "examples" / "telecom"


@pytest.fixture
def port() -> Iterator[int]:
    """Where uvicorn serves the bot."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    command = [sys.executable, "-P", "-m", "uvicorn", "bot:app", "--port", str(number), "--app-dir", str(TELECOM)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            wait_for(number, server)
            yield number
        finally:
            server.terminate()


def wait_for(port: int, server: subprocess.Popen[str]) -> None:
    latest = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < latest:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("uvicorn does not serve the bot")


@pytest.mark.timeout(300)
def test_a_study_talks_with_the_bot_behind_uvicorn(port: int, tmp_path: Path) -> None:
    study = Study.from_yaml(TELECOM / "bot_study.yaml")
    assert [spec.name for spec in study.config.candidates] == ["base", "our bot"]
    asked = {"kind": "app", "name": "our bot", "url": f"http://127.0.0.1:{port}/reply"}
    study.replace(candidates=[asked], turns=2, replicates=1).run(tmp_path / "run")
    turns = [turn for episode in read_episodes(tmp_path / "run" / "journal.sqlite") for turn in episode.turns]
    assert len(turns) == 6
    assert all(turn.reply.startswith(("I am sorry that", "I can see why")) and "\n\n" in turn.reply for turn in turns)
    assert "line_status" in turns[0].kept
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert (results["failed_episodes"], list(results["candidates"])) == (0, ["our bot"])
