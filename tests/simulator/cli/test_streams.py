"""Streams that are closed, full or unread, as a shell gives them: no traceback, and the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HOLDFAST = f"{sys.executable} -c 'from holdfast.simulator.cli.main import main; main()'"


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    script = f"set -o pipefail; {command.replace('holdfast', HOLDFAST)}"
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("holdfast persona list | head -1", 0),
        ("holdfast persona list --json | true", 0),
        ("holdfast persona show jun_park | true", 0),
        ("holdfast persona list >&-", 0),
        ("holdfast persona list 2>&-", 0),
        ("holdfast persona list >&- 2>&- <&-", 0),
        ("holdfast persona show nobody 2>&-", 2),
        ("holdfast persona show nobody >&- 2>&-", 2),
        ("holdfast persona show nobody 2>&1 | true", 2),
        ("holdfast persona list > /dev/full", 1),
        ("holdfast persona list > /dev/full 2> /dev/full", 1),
    ],
)
def test_streams(command: str, code: int, tmp_path: Path) -> None:
    done = shell(command, tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert ("standard output cannot be written (No space left" in done.stderr) == command.endswith("list > /dev/full")


@pytest.mark.slow
def test_a_run_whose_streams_are_closed_does_not_write_into_its_files(tmp_path: Path) -> None:
    """The journal would be opened under the number of standard output, and what is printed would end up in it."""
    (tmp_path / "study.yaml").write_text(
        json.dumps(
            {"personas": {"ids": ["jun_park"]}, "candidates": ["base"], "turns": 1, "sampling": {"max_tokens": 4}}
        )
    )
    assert shell("holdfast run study.yaml --out run >&- 2>&- <&-", tmp_path).returncode == 0
    assert shell("holdfast status run", tmp_path).stdout.startswith("run: done")
    assert json.loads(shell("holdfast report run --json", tmp_path).stdout)["episodes"] == 1
