"""``holdfast chat`` in a terminal: with a run's adapter, over an endpoint, as an assistant; its log measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pexpect
import pytest

from holdfast.adapters.micro import base_path
from holdfast.simulator.cli.main import run_command
from tests.agents.models.conftest import build_adapter
from tests.bench.endpoint import scripted_server
from tests.servers.answers import SENTENCES

COMMAND = "import sys; from holdfast.simulator.cli.main import main; main(sys.argv[1:])"
PROMPT, HOME, LEFT, UP = "you  ", "\x1b[H", "\x1b[D", "\x1b[A"


def chat(folder: Path, *arguments: object) -> pexpect.spawn:
    """A chat that waits for the first message, its log ``log.jsonl`` in ``folder``."""
    words = ["-c", COMMAND, "chat", *map(str, arguments), "--log", "log.jsonl"]
    terminal = pexpect.spawn(
        sys.executable, words, cwd=str(folder), timeout=120, dimensions=(40, 100), encoding="utf-8"
    )
    terminal.expect(PROMPT)
    return terminal


def say(terminal: pexpect.spawn, keys: str) -> str:
    """Type a message; returns what is shown up to the next prompt."""
    terminal.send(keys + "\r")
    terminal.expect(PROMPT)
    return terminal.before


def leave(terminal: pexpect.spawn, key: str, code: int) -> str:
    """End the talk; returns what is shown last."""
    terminal.send(key)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == code
    return terminal.before


def messages(folder: Path) -> list[str]:
    return [each["content"] for each in json.loads((folder / "log.jsonl").read_text(encoding="utf-8"))["messages"]]


def measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    """What ``holdfast measure`` makes of the log: turns, candidate, adherence."""
    capsys.readouterr()
    assert run_command(["measure", str(folder / "log.jsonl"), "--by", "candidate", "--json"]) == 0
    (group,) = json.loads(capsys.readouterr().out)["groups"].items()
    return {"candidate": group[0], **group[1]}


@pytest.fixture(scope="module")
def run_with_an_adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    build_adapter(base_path(), folder / "adapters" / "tiny", 11)
    study = {
        "personas": {"ids": ["jun_park"]},
        "adapters": str(folder / "adapters"),
        "candidates": ["base", {"kind": "adapter", "adapter": "tiny", "name": "tiny"}],
        "turns": 1,
        "sampling": {"max_tokens": 12},
    }
    (folder / "study.yaml").write_text(json.dumps(study), encoding="utf-8")
    assert run_command(["run", str(folder / "study.yaml"), "--out", str(folder / "run"), "--quiet"]) == 0
    return folder / "run"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_with_a_runs_adapter(run_with_an_adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replies = {}
    for candidate in ("tiny", "base"):
        folder = tmp_path / candidate
        folder.mkdir()
        terminal = chat(folder, run_with_an_adapter, "--candidate", candidate)
        assert "linear: " in say(terminal, "am saxd." + LEFT * 2 + "\x7f" + HOME + "I ")
        assert "assistant" in say(terminal, "Ça va? 日本 😢")
        assert "log.jsonl; measure it with: holdfast measure log.jsonl" in leave(terminal, "\x04", 0)
        replies[candidate] = messages(folder)[1::2]
        assert messages(folder)[0::2] == ["I am sad.", "Ça va? 日本 😢"]
        group = measured(folder, capsys)
        assert (group["candidate"], group["turns"]) == (candidate, 2)
    assert replies["tiny"] != replies["base"]  # the adapter spoke


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_over_an_endpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_server("--latency", "2.5") as url:
        study = {"model": {"ref": "openai:any", "base_url": url}, "candidates": ["base"]}
        (tmp_path / "study.yaml").write_text(json.dumps(study), encoding="utf-8")
        terminal = chat(tmp_path, "study.yaml")
        long = "word " * 1200 + "end"  # a terminal by itself cuts a line after 4,095 bytes
        assert "waiting for 2 s (Ctrl-C ends the talk)" in say(terminal, long)
        say(terminal, "\x1b[200~first\nsecond\x1b[201~")  # pasted
        assert "interrupted" in leave(terminal, "not sent\x03", 130)
    said = messages(tmp_path)
    assert said[0::2] == [long, "first\nsecond"]
    assert all(sentence.strip(".") in "".join(SENTENCES) for reply in said[1::2] for sentence in reply.split(". "))
    assert measured(tmp_path, capsys)["turns"] == 2


@pytest.mark.timeout(400)
def test_as_the_assistant_of_a_persona(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = chat(tmp_path, "--as", "assistant", "--persona", "jun_park")
    assert "user" in terminal.before
    assert "you reply to Jun Park" in terminal.before
    assert "appraisal" in say(terminal, "I am so sorry. What happened?")
    terminal.setwinsize(30, 60)
    terminal.expect(PROMPT)  # drawn anew
    assert "no command /hlep; did you mean '/help'?" in say(terminal, "/hlep")
    assert "/quit  end the talk" in say(terminal, "/help")
    say(terminal, "")  # an empty line is no message
    assert "appraisal" in say(terminal, UP * 3)  # the first message again
    leave(terminal, "/quit\r", 0)
    assert messages(tmp_path)[1::2] == ["I am so sorry. What happened?"] * 2
    group = measured(tmp_path, capsys)
    assert (group["candidate"], group["turns"]) == ("you", 2)
