"""``persona new``: from flags, from questions in a terminal, the template in a pipe; and what writes nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pexpect
import pytest

from holdfast.core.errors import InputError
from holdfast.personas.loading import load_persona
from holdfast.simulator.cli.personas.yaml_files import EXAMPLES, write_new

MAIN = "from holdfast.simulator.cli.main import main; main()"


def in_terminal(folder: Path, *arguments: str) -> pexpect.spawn:
    environment = os.environ | {"TERM": "dumb", "PYTHONUNBUFFERED": "1"}
    command = ["-c", MAIN, "persona", "new", *arguments]
    return pexpect.spawn(
        sys.executable, command, cwd=str(folder), timeout=60, dimensions=(30, 200), encoding="utf-8", env=environment
    )


def ended(terminal: pexpect.spawn) -> int:
    terminal.expect(pexpect.EOF)
    terminal.close()
    return int(terminal.exitstatus)


def test_flags_fill_the_file(run, tmp_path: Path) -> None:
    path = tmp_path / "noor_h.yaml"
    flags = ["--task", "burnout", "--style", "terse", "--desired", "3", "--feeling", "tired", "--feeling", "sad"]
    code, out, err = run("new", path, *flags, "--goal", "ask for leave: my manager")
    assert (code, err) == (0, "")
    assert f"holdfast persona check {path}" in out
    persona = load_persona(path)
    assert (persona.id, persona.name, persona.task, persona.speech) == ("noor_h", "Noor H", "burnout", "terse")
    assert (persona.desired_empathy, persona.feelings) == (3, ("tired", "sad"))
    assert [(goal.need, goal.topic) for goal in persona.goals] == [("ask for leave", "my manager")]
    assert run("check", path)[0] == 0


def test_in_a_pipe_without_flags_it_is_the_template(run, tmp_path: Path) -> None:
    assert run("new", tmp_path / "a.yaml")[0] == 0
    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == (EXAMPLES / "persona.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--task", "burnot"], "unknown task 'burnot'; did you mean 'burnout'?"),
        (["--name", "x" * 41], "name: expected text of 1 to 40 characters, got 41 characters"),
        (["--name", "a\x1b[2J"], "hidden character U+001B"),
        (["--id", "Ana"], "id: expected lower-case letters"),
        (["--feeling", "x" * 81], "feelings[1]: expected text of 1 to 80 characters"),
    ],
)
def test_what_is_no_persona_is_not_written(run, tmp_path: Path, flags: list[str], message: str) -> None:
    code, _, err = run("new", tmp_path / "a.yaml", *flags)
    assert code == 2
    assert "not written: " in err
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_a_goal_needs_both_parts(tmp_path: Path) -> None:
    terminal = in_terminal(tmp_path, "a.yaml", "--goal", "rest")
    terminal.expect("write what they need and what it is about, as 'list the steps:the move'")
    assert ended(terminal) == 2


def test_nothing_is_overwritten_and_no_folder_made(tmp_path: Path) -> None:
    write_new(tmp_path / "a.yaml", "id: x\n")
    for path, message in (
        (tmp_path / "a.yaml", "is there already; name a new file"),
        (tmp_path / "no" / "such" / "a.yaml", "its folder .*such.? does not exist; .* make it first: mkdir -p "),
        (tmp_path / "a.yaml" / "b.yaml", "its folder .*a.yaml.? does not exist"),
    ):
        with pytest.raises(InputError, match=message):
            write_new(path, "id: y\n")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.yaml", "id: x\n")]


def test_it_asks_in_a_terminal_and_asks_again(tmp_path: Path) -> None:
    terminal = in_terminal(tmp_path, "noor.yaml")
    for question, answer in (
        (r"Name \[Noor\]: ", "Noor Haddad"),
        (r"What do they come for\?.*\[plan_project\]: ", "burnot"),
        (r"did you mean 'burnout'.*What do they come for\?.*: ", "burnout"),
        (r"Who are they.*\]: ", "Nurse in Ghent: nights, mostly."),
        (r"How do they speak\?.*\[plain\]: ", ""),
        (r"How much empathy.*\[2\]: ", "much"),
        (r"no whole number.*How much empathy.*\[2\]: ", "3"),
        (r"How do they feel\?.*\]: ", "tired, sad"),
        (r"What do they want.*\]: ", "sleep"),
        (r"write what they need.*What do they want.*\]: ", "sleep better:my nights"),
    ):
        terminal.expect(f"(?s){question}")
        terminal.sendline(answer)
    assert ended(terminal) == 0
    persona = load_persona(tmp_path / "noor.yaml")
    assert (persona.name, persona.task, persona.speech, persona.desired_empathy) == (
        "Noor Haddad",
        "burnout",
        "plain",
        3,
    )
    assert (persona.background, persona.feelings) == ("Nurse in Ghent: nights, mostly.", ("tired", "sad"))
    assert persona.goals[0].topic == "my nights"


@pytest.mark.parametrize("end", ["\x03", "\x04"], ids=["Ctrl-C", "end of input"])
def test_an_end_in_between_writes_nothing(tmp_path: Path, end: str) -> None:
    terminal = in_terminal(tmp_path, "noor.yaml")
    terminal.expect(r"Name \[Noor\]: ")
    terminal.sendline("Noor Haddad")
    terminal.expect("What do they come for")
    terminal.send(end)
    terminal.expect("nothing is written")
    assert ended(terminal) == 130
    assert list(tmp_path.iterdir()) == []
