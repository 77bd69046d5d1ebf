"""``holdfast chat``: a person at the keyboard in either place; each turn in a log that ``measure`` reads."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.personas.world import world_with
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.cli.personas.chat import measuring_command, rated_line
from holdfast.simulator.cli.raters.options import rater_specs
from holdfast.simulator.config.study_file import load_study
from holdfast.simulator.logs.measure import measure_files
from holdfast.simulator.logs.sources import open_sources
from holdfast.simulator.runtime.one_talk import OneTalk

MADE = ("calm", "line", "ada_desk")


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Say lines to ``holdfast chat``: (exit code, what is printed, what the log holds)."""

    def say(lines: str | bytes, *arguments: object) -> tuple[int, str, dict]:
        typed = lines if isinstance(lines, bytes) else lines.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))
        log = tmp_path / "log.jsonl"
        log.unlink(missing_ok=True)
        code = run_command(["chat", *map(str, arguments), "--log", str(log)])
        told = capsys.readouterr()
        kept = json.loads(log.read_text(encoding="utf-8")) if log.exists() else {}
        return code, told.out if code == 0 else told.err, kept

    return say


def test_a_person_talks_with_a_candidate(chat, tmp_path: Path) -> None:
    code, out, kept = chat(
        "I feel sad about my job.\n\nIt is my boss.\n/quit\nnever read\n", "--candidate", "system_prompt"
    )
    assert code == 0
    lines = out.splitlines()
    assert [line.split(":")[0].strip() for line in lines] == ["assistant", "linear", "assistant", "linear"]
    assert [message["role"] for message in kept["messages"]] == ["user", "assistant"] * 2
    assert kept["messages"][2]["content"] == "It is my boss."
    assert kept["metadata"]["candidate"] == "system_prompt"
    results, _ = measure_files(open_sources([tmp_path / "log.jsonl"]))
    assert results.turns == 2


def test_the_same_words_and_seed_get_the_same_replies(chat) -> None:
    first, again, other = (chat("I am tired.\n", "--seed", seed)[2] for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_a_person_replies_to_a_persona(chat) -> None:
    code, out, kept = chat("I am so sorry.\nThat sounds lonely.\n", "--as", "assistant", "--persona", "jun_park")
    assert code == 0
    assert out.startswith("user: ")
    assert "appraisal" in out
    assert kept["speaker"] == "jun_park"
    assert kept["metadata"]["candidate"] == "you"
    assert [message["content"] for message in kept["messages"][1::2]] == ["I am so sorry.", "That sounds lonely."]


def test_a_prompt_and_a_study_of_ones_own(chat, tmp_path: Path) -> None:
    prompt = tmp_path / "kind.txt"
    prompt.write_text("Be kind.", encoding="utf-8")
    assert chat("Hello.\n", "--prompt-file", prompt)[0] == 0
    study = tmp_path / "study.yaml"
    study.write_text("candidates: [base, {kind: system_prompt, prompt: Be brief., name: brief}]\n", encoding="utf-8")
    code, _, kept = chat("Hello.\n", study, "--candidate", "brief")
    assert (code, kept["metadata"]["candidate"]) == (0, "brief")
    code, told, _ = chat("Hello.\n", study, "--candidate", "breif")
    assert code == 2
    assert "no candidate 'breif'; did you mean 'brief'? (there are: base, brief, system_prompt" in told


def test_a_message_that_is_too_long_is_left_out_and_the_talk_goes_on(chat) -> None:
    code, out, kept = chat(f"Hello.\n{'word ' * 9000}\nI am tired.\n")
    assert code == 0
    assert "no reply: " in out
    assert "tokens, " in out
    assert "this message is left out: write another, or /quit" in out
    assert [message["content"] for message in kept["messages"][::2]] == ["Hello.", "I am tired."]
    assert chat(f"{'word ' * 9000}\n")[0] == 1


def test_nothing_is_overwritten_and_nothing_said_leaves_nothing(chat, tmp_path: Path) -> None:
    assert chat("\n")[2] == {}
    log = tmp_path / "mine.jsonl"
    log.write_text("x", encoding="utf-8")
    assert run_command(["chat", "--log", str(log)]) == 2
    assert log.read_text(encoding="utf-8") == "x"


def test_a_word_behind_a_slash_is_a_command_or_told_and_never_sent(chat) -> None:
    code, _, kept = chat("/help\n/hlep\n/\n/etc/hosts is gone\n")
    assert code == 0
    assert [message["content"] for message in kept["messages"][::2]] == ["/etc/hosts is gone"]


def test_what_is_no_text_is_said_as_such(chat) -> None:
    code, _, kept = chat(b"\xff\xfe bad\nhi\n")
    assert code == 0
    assert [message["content"] for message in kept["messages"][::2]] == ["\ufffd\ufffd bad", "hi"]


OWN = """\
name: mine
tasks: [line.yaml]
patterns: [calm.yaml]
personas: {files: [ada_desk.yaml]}
candidates: [{kind: system_prompt, prompt: Be brief., name: brief}]
turns: 2
"""


@pytest.fixture
def own_study(tmp_path: Path) -> Path:
    """A study of one's own domain: its task, pattern and persona lie beside it."""
    for word, name in (("pattern", "calm"), ("task", "line"), ("persona", "ada_desk")):
        assert run_command([word, "new", str(tmp_path / f"{name}.yaml")]) == 0
    ids = {name: yaml.safe_load((tmp_path / f"{name}.yaml").read_text(encoding="utf-8"))["id"] for name in MADE}
    changed = {"line": {"pattern": ids["calm"]}, "ada_desk": {"task": ids["line"], "id": "ada_desk"}}
    for name, values in changed.items():
        text = (tmp_path / f"{name}.yaml").read_text(encoding="utf-8")
        for key, value in values.items():
            text = re.sub(rf"(?m)^{key}: .*$", f"{key}: {value}", text)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(OWN, encoding="utf-8")
    return tmp_path / "study.yaml"


def test_a_studys_own_people_talk_by_id_by_file_and_with_its_files_named_again(chat, own_study: Path) -> None:
    folder = own_study.parent
    for who, more in (
        ("ada_desk", ()),
        (folder / "ada_desk.yaml", ()),
        ("ada_desk", ("--tasks", folder / "line.yaml", "--patterns", folder / "calm.yaml")),
    ):
        code, _, kept = chat("I see.\n", own_study, "--as", "assistant", "--persona", who, *more)
        assert (code, kept["speaker"]) == (0, "ada_desk")
        assert run_command(["persona", "talk", str(who), "--of", str(own_study), "--turns", "2", *map(str, more)]) == 0
    code, told, _ = chat("I see.\n", own_study, "--as", "assistant", "--persona", "ada_disk")
    assert (code, "did you mean 'ada_desk'?" in told) == (2, True)


def test_the_log_is_measured_by_the_studys_own_first_rater(own_study: Path) -> None:
    def command(raters: str) -> list[str]:
        own_study.write_text(OWN + raters, encoding="utf-8")
        talk = OneTalk(own_study, None, None, None, None, {"turns": 2})
        return shlex.split(measuring_command(Path("a log.jsonl"), talk.plan(world_with()), [Path("line.yaml")], []))

    plain = ["holdfast", "measure", "a log.jsonl", "--tasks", "line.yaml"]
    assert command("") == command("raters: [linear, linear_peers]") == plain
    assert command("raters: [linear_peers, linear]") == [*plain, "--rater", "linear_peers"]
    served = "{kind: judge, name: \"juéz 'uno'\", model: {ref: 'openai:any', base_url: 'http://localhost:1/v1'}}"
    *before, option, written = command(f"raters: [{served}]")
    assert (before, option) == (plain, "--rater")
    (spec,) = rater_specs([written])
    assert spec == load_study(own_study).raters[0]


def test_a_run_without_adapters_and_a_study_without_base(chat, own_study: Path) -> None:
    run = own_study.parent / "run"
    assert run_command(["run", str(own_study), "--out", str(run), "--quiet"]) == 0
    for source in (own_study, run):
        code, _, kept = chat("Hello.\n", source)
        assert (code, kept["metadata"]["candidate"]) == (0, "brief")
        assert "task" not in kept["metadata"]  # nobody chose one


def test_options_that_do_not_fit_are_refused(chat) -> None:
    code, told, _ = chat("Hm.\n", "--as", "assistant", "--candidate", "routed")
    assert (code, "leave out --candidate" in told) == (2, True)
    code, told, _ = chat("Hm.\n", "--candidate", "app")
    assert (code, "candidate 'app' takes more than its kind (url: Field required)" in told) == (2, True)


def test_ctrl_c_ends_the_waiting_at_once_and_keeps_the_talk(tmp_path: Path) -> None:
    screen, end = pty.openpty()
    log = tmp_path / "log.jsonl"
    command = "import sys; from holdfast.simulator.cli.main import main; main(sys.argv[1:])"
    started = [sys.executable, "-c", command, "chat", "--log", str(log)]
    with subprocess.Popen(started, stdin=end, stdout=end, stderr=subprocess.PIPE, text=True) as process:
        os.write(screen, b"I am sad.\n")
        wait_until(log.exists, 120)
        process.send_signal(signal.SIGINT)
        try:
            said = process.communicate(timeout=30)[1]
        finally:
            process.kill()
    os.close(end)
    os.close(screen)
    assert process.returncode == 130
    assert f"measure it with: holdfast measure {log}" in said


def wait_until(there: Callable[[], bool], seconds: float) -> None:
    latest = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < latest, "it did not come in time"
        time.sleep(0.2)


def test_a_line_of_ratings() -> None:
    ratings = {"linear": expressed(1, 0.26, 0), "judge": Rating(missing="no answer")}
    assert rated_line(ratings) == (
        "linear: emotional reaction 1.0, interpretation 0.3, exploration 0.0; judge: unrated (no answer)"
    )
