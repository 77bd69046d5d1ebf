"""Every screen is 80 columns wide without cut words, and every command's help has examples."""

from __future__ import annotations

import importlib
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from holdfast.simulator.cli.main import COMMANDS, cli

NARROW = "import os, fcntl, struct, termios; fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 80, 0, 0))\n"


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    for inner, each in getattr(command, "commands", {}).items():
        yield from commands(each, f"{name} {inner}")


def every_command() -> Iterator[tuple[str, click.Command]]:
    yield "holdfast", cli
    for name, (module, _) in COMMANDS.items():
        loaded = importlib.import_module(f"holdfast.simulator.cli.{module}")
        yield from commands(getattr(loaded, name.replace("-", "_")), name)


def on_a_terminal(code: str) -> list[str]:
    """Return the lines that a program writes to a terminal of 80 columns."""
    screen, end = pty.openpty()
    subprocess.run([sys.executable, "-c", NARROW + code], stdout=end, check=True, env=os.environ | {"TERM": "xterm"})
    os.close(end)
    written = os.read(screen, 65_536).decode()
    os.close(screen)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written).splitlines()


@pytest.mark.parametrize(("name", "command"), list(every_command()))
def test_help_has_examples_and_is_80_columns_wide(name: str, command: click.Command) -> None:
    text = command.get_help(click.Context(command, info_name=name, terminal_width=80))
    assert re.search("Examples?:", text)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert re.findall(r"^ .*\w\.\.\.$", text, re.MULTILINE) == []


def test_a_wide_table_becomes_several_without_cut_words() -> None:
    columns = ["candidate", *(f"turn {turn}" for turn in (1, 8, 16, 24)), "retention [95 %]", "gap", "gap reduction"]
    row = ["system_prompt_with_reminder", 0.61, 0.6, 0.5, 0.4, "0.81 [0.70, 0.92]", 0.4, "0.20 [0.10, 0.30]"]
    printing = f"print_table({columns!r}, [{row!r}], numbers=range(1, 8))"
    lines = on_a_terminal(f"from holdfast.simulator.cli.console import print_table\n{printing}")
    assert max(map(len, lines)) <= 80
    words = " ".join(lines).split()
    assert words.count("system_prompt_with_reminder") == 2
    assert {"candidate", "retention", "reduction", "[0.10,"} <= set(words)


def test_prose_beside_a_table_is_wrapped_between_words(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "I feel sad."}, {"role": "assistant", "content": "I am so sorry."}]
    (tmp_path / "log.jsonl").write_text(json.dumps({"messages": said}) + "\nbroken " + "x" * 20, encoding="utf-8")
    measuring = f"import os; os.chdir({str(tmp_path)!r}); main(['measure', 'log.jsonl'])"
    lines = on_a_terminal(f"from holdfast.simulator.cli.main import main\n{measuring}")
    assert max(map(len, lines)) <= 80
    assert {"bootstrapped", "skipped:", "log.jsonl:2:"} <= set(" ".join(lines).split())


def test_a_warning_is_one_line_without_code(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("Be warm.")
    (tmp_path / "study.yaml").write_text("candidates: [{kind: system_prompt, prompt: mine.txt}]\n")
    command = "from holdfast.simulator.cli.main import main; main(['plan', 'study.yaml', '--no-rehearsal', '--quiet'])"
    ended = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stderr == (
        "warning: candidate 'system_prompt': the prompt is the text 'mine.txt', which is also a file; "
        "did you mean prompt_file: 'mine.txt'?\n"
    )
