"""A canary key is walked through every failure of an endpoint, LangSmith looking on or not, and found nowhere."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.agents.models.keys import HIDDEN, ApiKey
from holdfast.agents.models.response_cache import ResponseCache
from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.protocols import GenerationRequest, Message
from holdfast.core.errors import ModelError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.journal.store import read_episodes
from tests.servers.answers import scripted
from tests.servers.faults import EVERY, Faults
from tests.servers.kinds import Fault
from tests.servers.langsmith import langsmith
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running

CANARY = "sk-CANARY+key/0123456789=="
TRACER = "lsv2_pt_CANARY_0123456789"  # LangSmith's own key
HOLDFAST = "from holdfast.simulator.cli.main import main; main()"
ALL_LOGS = f"import logging; logging.basicConfig(level=logging.DEBUG); {HOLDFAST}"
REQUEST = GenerationRequest("c", (Message("user", "I feel torn."),), seed=1)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> ApiKey:
    monkeypatch.setenv("MY_KEY", CANARY)
    return ApiKey("MY_KEY")


def everything(caught: BaseException | None, caplog: pytest.LogCaptureFixture, *more: object) -> str:
    """All that a user, a log file or a debugger could come to see."""
    shown = [caplog.text, *(repr(record.__dict__) for record in caplog.records), *map(repr, more), *map(str, more)]
    if caught is not None:
        shown += [str(caught), repr(caught), "".join(traceback.format_exception(caught))]
    return "\n".join(shown)


def assert_hidden(text: str) -> None:
    assert "CANARY" not in text
    assert CANARY not in text


def storm(api_key: str) -> ScriptedServer:
    """A server that fails in every way, repeats headers in its errors, and says the key in its replies."""
    return ScriptedServer(
        Faults(0.8, seed=2),
        api_key=api_key,
        echo_headers=True,
        patience_s=1.2,
        retry_after_s=0.05,
        down_s=0.1,
        answer=lambda body: f"{scripted(body)} {CANARY}",
    )


def study(server: ScriptedServer, folder: Path) -> Path:
    """A study's file in ``folder``, whose model is at ``server``."""
    model = {"ref": "openai:m", "base_url": server.base_url, "api_key_env": "MY_KEY", "timeout_s": 1, "retries": 20}
    fields = {"model": model, "personas": {"ids": ["jun_park"]}, "candidates": ["base"], "turns": 6}
    (folder / "study.yaml").write_text(json.dumps(fields), encoding="utf-8")
    return folder / "study.yaml"


def in_json(text: str) -> str:
    """``text`` as it stands inside a JSON document."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def assert_nowhere_in(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        assert b"CANARY" not in path.read_bytes(), path


@pytest.mark.parametrize("fault", EVERY)
async def test_no_failure_shows_the_key(fault: Fault, key: ApiKey, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    endless = Faults(1.0, weights={fault: 1.0}, in_a_row=99)
    server = ScriptedServer(endless, api_key=CANARY, echo_headers=True, patience_s=1, retry_after_s=0.1, down_s=0.3)
    async with server:
        limits = EndpointLimits(timeout_s=0.3 if fault == "timeout" else 20, retries=1, patience_s=1)
        model = ServedChatModel(Endpoint(server.base_url, key, limits), "m")
        caught = None
        try:
            made = await model.generate(REQUEST)
        except ModelError as error:
            caught = error
        assert server.met[fault] >= 1  # the server knew the key: it went past the check
        line = await model.endpoint.line()
    assert (caught is None) == (fault == "slow drip"), caught
    assert_hidden(everything(caught, caplog, model, model.endpoint, model.counters(), line.breaker))
    assert caught is not None or made.text


async def test_a_refused_key_is_named_by_its_variable(key: ApiKey, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with ScriptedServer(api_key="another", echo_headers=True) as server:
        model = ServedChatModel(Endpoint(server.base_url, key), "m")
        with pytest.raises(
            ModelError, match=r"refuses the key in MY_KEY \(401\): Incorrect API key provided"
        ) as caught:
            await model.generate(REQUEST)
    assert_hidden(everything(caught.value, caplog, model))


async def test_a_reply_that_says_the_key_loses_it(key: ApiKey, tmp_path: Path) -> None:
    async with ScriptedServer(answer=lambda body: f"Your key is {CANARY}.") as server:
        cache = ResponseCache(tmp_path / "cache.sqlite")
        made = await ServedChatModel(Endpoint(server.base_url, key), "m", cache=cache).generate(REQUEST)
        cache.close()
    assert made.text == f"Your key is {HIDDEN}."
    assert CANARY.encode() not in (tmp_path / "cache.sqlite").read_bytes()


def test_a_pickle_holds_only_the_name(key: ApiKey) -> None:
    assert CANARY.encode() not in pickle.dumps(Endpoint("http://x/v1", key))


def test_a_message_loses_headers_and_the_keys_of_other_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_API_KEY", "0123456789abcdef")
    said = ApiKey().clean("got {'Authorization': 'Bearer abc.def-1', 'x': 1} for 0123456789abcdef\n\x1b[31m")
    assert said == ascii("got {'Authorization': '[hidden]', 'x': 1} for [hidden] \x1b[31m")


@given(st.text(min_size=8).map(str.strip).filter(lambda key: len(key) >= 8), st.text(), st.text())
def test_a_key_is_hidden_wherever_it_stands(key: str, before: str, after: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        try:
            patch.setenv("ANY", key)
        except (ValueError, UnicodeError):
            return  # no environment can hold it
        hidden = ApiKey("ANY").hide_in(before + key + after)
    assert key not in hidden.replace(HIDDEN, "") or key in HIDDEN


@pytest.mark.parametrize("right", [True, False], ids=["right key, storm", "wrong key"])
def test_a_whole_run_leaves_no_trace_of_the_key(
    right: bool, key: ApiKey, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = storm(CANARY if right else "another")
    with running(server):
        code = run_command(["run", str(study(server, tmp_path)), "--out", str(tmp_path / "run")])
    out, err = capfd.readouterr()
    if right:
        assert code == 0
        assert sum(server.met.values()) > 2
        assert HIDDEN in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert_hidden(out + err + everything(None, caplog))
    assert_nowhere_in(tmp_path)


@pytest.mark.parametrize(
    "right",
    [pytest.param(True, marks=pytest.mark.slow, id="right key, storm"), pytest.param(False, id="wrong key")],
)
def test_langsmith_hears_everything_but_keys(right: bool, key: ApiKey, tmp_path: Path) -> None:
    """Its three variables are all that a user sets; whatever any library logs is shown."""
    server = storm(CANARY if right else "another")
    with running(server), langsmith() as posted:
        variables = {"TRACING": "true", "ENDPOINT": posted.url, "API_KEY": TRACER}
        asked = study(server, tmp_path)
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", ALL_LOGS, "run", str(asked), "--out", str(tmp_path / "run")],
            env=os.environ | {f"LANGSMITH_{name}": value for name, value in variables.items()},
            capture_output=True,
            text=True,
            check=False,
        )
    (episode,) = read_episodes(tmp_path / "run" / "journal.sqlite")
    assert posted.keys == {TRACER}  # it was LangSmith's client that posted
    if right:
        assert done.returncode == 0, done.stderr[-2000:]
        assert len(episode.turns) == 6
        for turn in episode.turns:
            assert in_json(turn.user) in posted.text
            assert HIDDEN in turn.reply
            assert in_json(turn.reply) in posted.text
    else:
        assert episode.error is not None
        assert in_json(episode.error) in posted.text
    assert "DEBUG" in done.stderr
    assert_hidden(done.stdout + done.stderr)
    assert_hidden(posted.text)
    assert_nowhere_in(tmp_path)
