"""A judge on a real endpoint: ``transformers serve`` with the embedded model, which was never taught to judge.

The model talks about feelings whatever it is asked, and the server ignores the JSON schema: all of it has to come out
as missing, counted, and nothing as a score.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.adapters.micro import base_path
from holdfast.agents.models.served.endpoint import Endpoint
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.protocols import Message
from holdfast.agents.raters.judge.counts import count_answers
from holdfast.agents.raters.judge.rater import JudgeRater, judge_sampling
from holdfast.agents.raters.protocol import SCALES, Passage
from holdfast.simulator.cli.main import run_command

pytestmark = pytest.mark.slow
PASSAGES = [
    Passage((Message("user", f"I feel {feeling} about the report."), Message("assistant", "I am so sorry.")))
    for feeling in ("anxious", "tired", "proud", "lonely")
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("hf")
    (home / "hub").mkdir()  # the server lists it
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [Path(sys.executable).with_name("transformers"), "serve", "--host", "127.0.0.1", "--port", str(port)]
    log = (home / "log").open("w")
    server = subprocess.Popen([*command, "--device", "cpu"], env=environment, stdout=log, stderr=log)
    try:
        for _ in range(2000):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                break
            except OSError:
                assert server.poll() is None, (home / "log").read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(30)
        log.close()


@pytest.mark.parametrize("scale", sorted(SCALES))
async def test_nonsense_is_missing_and_never_a_score(url: str, scale: str) -> None:
    model = ServedChatModel(Endpoint(url), str(base_path()))
    sampling = judge_sampling(2, max_tokens=48)
    rater = JudgeRater(model, SCALES[scale], "embedded", samples=2, concurrency=2, sampling=sampling)
    ratings = await rater.rate(PASSAGES)
    assert all(rating.values == {} and rating.missing for rating in ratings)
    counts = count_answers(ratings)
    assert (counts.asked, counts.accepted, counts.repaired, counts.missing) == (8, 0, 0, 4)
    assert sum(counts.refused.values()) == 8
    assert "server" not in counts.refused  # it did answer
    assert min(counts.tokens) > 0


def test_the_command_says_so(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chats = tmp_path / "chats.jsonl"
    lines = [json.dumps({"messages": [message.as_dict() for message in one.messages]}) for one in PASSAGES]
    chats.write_text("\n".join(lines))
    model = ["--model", f"openai:{base_path()}", "--base-url", url, "--max-tokens", "48", "--timeout", "120"]
    assert run_command(["judge", str(chats), *model, "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)["raters"][f"openai:{base_path()}"]
    assert judged["answers"]["missing"] == judged["missing"] == 4
    assert judged["answers"]["accepted"] == judged["answers"]["repaired"] == 0
    assert all(one["n"] == 0 and one["mean"] is None for one in judged["dimensions"].values())
