"""A study whose endpoint fails: the cause, the exit code, the page, the status, and how soon it is over."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.errors import ModelError
from holdfast.simulator.api import Study
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.notices import Notices
from holdfast.simulator.monitor.status import StatusReader
from tests.servers.openai_server import ScriptedServer
from tests.servers.raw_server import RawServer, response
from tests.servers.threaded import running
from tests.servers.wire import Request

HOLDFAST = "from holdfast.simulator.cli.main import main; main()"
GONE = "http://127.0.0.1:9/v1"


def fields(url: str, **more: Any) -> dict[str, Any]:
    """Six conversations of two turns with a model at ``url``."""
    model = {"ref": "openai:m", "base_url": url, **more.pop("model", {})}
    people = {"personas": {"ids": ["jun_park", "amara_okafor"]}, "replicates": 3}
    return {"model": model, **people, "candidates": ["base"], "turns": 2, **more}


def study(folder: Path, url: str, **more: Any) -> Path:
    (folder / "study.yaml").write_text(json.dumps(fields(url, **more)), encoding="utf-8")
    return folder / "study.yaml"


def test_a_dead_endpoint_fails_the_run_with_its_cause_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, began = tmp_path / "run", time.monotonic()
    assert run_command(["run", str(study(tmp_path, GONE)), "--out", str(out), "--quiet"]) == 1
    assert time.monotonic() - began < 20
    shown = capsys.readouterr()
    cause = f"{GONE} did not answer in 4 tries, the last: no connection (connection refused: 127.0.0.1:9)"
    assert shown.out == ""
    said = [line for line in shown.err.splitlines() if not line.startswith("loading models: ")]
    assert said[0].startswith(f"error: {cause}")
    assert "0 of 6 conversations came to an end, 6 failed" in shown.err
    assert "--resume" in shown.err
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "No conversation came to an end." in page
    assert f"6 \N{MULTIPLICATION SIGN} <bdi>{cause}" in page
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert [(text.startswith(cause), count) for text, count in results["failures"].items()] == [(True, 6)]
    assert run_command(["status", str(out)]) == 0
    status = capsys.readouterr().out
    assert status.startswith(f"{out}: failed\n")
    assert f"6 x {cause}" in status
    assert "--resume" in status
    assert run_command(["status", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "failed"


def test_a_run_that_failed_is_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="connection refused"):
        Study.of(**fields(GONE)).run(tmp_path)
    with running(ScriptedServer()) as server:
        done = Study.of(**fields(server.base_url)).run(tmp_path, resume=True)
    assert done.results.failures == {}
    assert StatusReader(tmp_path).look().state == "done"


def test_a_template_or_any_other_cause_fails_the_run_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every conversation is refused for itself: the endpoint is healthy."""
    refused = json.dumps({"error": {"message": "System role not supported"}}).encode()
    with running(RawServer(lambda request, number: response(400, refused))) as server:
        path = study(tmp_path, server.base_url)
        assert run_command(["run", str(path), "--out", str(tmp_path / "run"), "--quiet"]) == 1
    assert "System role not supported" in capsys.readouterr().err
    assert StatusReader(tmp_path / "run").look().state == "failed"


def test_some_failures_are_told_on_the_last_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def script(request: Request, number: int) -> bytes:
        return response(400, b'{"error": {"message": "no such luck"}}') if number == 3 else response(200)

    with running(RawServer(script)) as server:
        path = study(tmp_path, server.base_url)
        assert run_command(["run", str(path), "--out", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().out
    assert "1 of 6 conversations failed; --resume holds them again. The commonest causes:" in shown
    assert "1 x" in shown
    assert "no such luck" in shown
    assert run_command(["status", str(tmp_path / "run")]) == 0
    assert "--resume" in capsys.readouterr().out


def test_one_dead_endpoint_of_two_ends_the_run(tmp_path: Path) -> None:
    """Not only at the end of a night: the other candidate's conversations are owed, and its turns in flight kept."""
    dead = {"kind": "base", "name": "other", "model": {"ref": "openai:m", "base_url": GONE}}
    with running(ScriptedServer(latency_s=0.3)) as server:
        asked = fields(server.base_url, candidates=["base", dead], turns=60, concurrency=12)
        with pytest.raises(ModelError, match="connection refused"):
            Study.of(**asked).run(tmp_path)
    now = StatusReader(tmp_path).look()
    assert (now.state, now.failed, now.ended) == ("failed", 6, 0)
    assert 0 < now.turns < 200
    assert now.turns_owed > 100


def test_a_judge_that_never_answers_fails_the_run(tmp_path: Path) -> None:
    judge = {"kind": "judge", "model": {"ref": "openai:judge", "base_url": GONE}}
    with running(ScriptedServer()) as server, pytest.raises(ModelError, match=f"{GONE} did not answer"):
        Study.of(**fields(server.base_url, raters=[judge])).run(tmp_path)
    with Journal.read(tmp_path / "journal.sqlite") as journal:
        assert journal.count().turns == 0  # no turn is kept without the rating that it was owed


def holdfast(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", HOLDFAST, *arguments], stderr=subprocess.PIPE, text=True)


def wait_for_notice(out: Path) -> str:
    """The first note that ``holdfast status`` shows of the run."""
    for _ in range(600):
        if (out / "journal.sqlite").exists() and (notices := StatusReader(out).look().notices):
            return notices[0]
        time.sleep(0.1)
    raise AssertionError("no notice was given")


def dying(after: int) -> RawServer:
    """Answers ``after`` requests, and is away from then on."""
    return RawServer(lambda request, number: response(200) if number < after else response(503, b"restarting"))


def test_ctrl_c_releases_what_waits_for_an_endpoint(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with running(dying(3)) as server:
        process = holdfast("run", str(study(tmp_path, server.base_url)), "--out", str(out))
        try:
            notice = wait_for_notice(out)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, shown = process.communicate(timeout=60)
        finally:
            process.kill()
    assert time.monotonic() - began < 10  # 1.2 when this was written; python takes its time to end
    assert process.returncode == 130
    assert notice == f"{server.base_url} does not answer: 503 (restarting); it is asked again, for up to 600 s"
    assert notice in shown  # on the screen too, at the first pause
    with Journal.read(out / "journal.sqlite") as journal:
        assert journal.count() == (3, 0, 0)  # what waited is owed, and did not fail


def test_minutes_release_what_waits_for_an_endpoint(tmp_path: Path) -> None:
    out, began = tmp_path / "run", time.monotonic()
    with running(dying(3)) as server:
        options = ["--out", str(out), "--max-minutes", "0.1", "--quiet"]
        assert run_command(["run", str(study(tmp_path, server.base_url)), *options]) == 3
    assert time.monotonic() - began < 30
    with Journal.read(out / "journal.sqlite") as journal:
        assert journal.count() == (3, 0, 0)


def test_ctrl_c_ends_the_wait_for_a_server_that_is_loading(tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = holdfast("run", str(study(tmp_path, GONE)), "--out", str(out), "--wait-for-endpoint", "300")
    try:
        notice = wait_for_notice(out)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert "it is asked again, for up to 300 s" in notice
    assert process.returncode == 130


def test_notices_are_said_once_when_they_come_and_when_they_go() -> None:
    current: dict[str, str] = {}
    shown: list[str] = []
    notices = Notices(lambda: current, shown.append)
    notices.look()
    current["http://x/v1"] = "http://x/v1 does not answer: 503"
    assert notices.look() == ("http://x/v1 does not answer: 503",)
    current["http://x/v1"] = "http://x/v1 does not answer: 502"
    notices.look()
    current.clear()
    notices.look()
    assert shown == ["http://x/v1 does not answer: 503", "http://x/v1: it goes on"]
