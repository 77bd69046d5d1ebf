"""``holdfast label`` in a terminal and in a pipe: answers, tables, and what labels would buy."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.simulator.cli.main import run_command
from holdfast.simulator.labelling.store import LabelFolder
from holdfast.simulator.runtime.pipeline import report
from tests.simulator.recorded import record_run

HOLDFAST = (sys.executable, "-c", "from holdfast.simulator.cli.main import main; main()")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = record_run(tmp_path_factory.mktemp("label") / "run")
    report(run)
    return run


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    for file in recorded.iterdir():
        if file.is_file():
            (tmp_path / "run" / file.name).write_bytes(file.read_bytes())
    return tmp_path / "run"


def holdfast(*words: object, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [*HOLDFAST, *map(str, words)]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def test_answers_through_a_pipe_are_kept_and_undone(run: Path) -> None:
    done = holdfast("label", run, "--count", 8, "--coder", "ana", "--terminal", given="210" + "2u" + "012" + "q")
    assert done.returncode == 0, done.stderr
    (label,) = LabelFolder(run).answers("ana").values()
    assert list(label.levels.values()) == [0, 1, 2]
    assert "1 label by ana" in done.stdout
    assert f"holdfast report {run}" in done.stdout
    assert "system_prompt" not in done.stdout.split("1 label by ana")[0].replace(str(run), "")


@pytest.mark.timeout(120)
def test_answers_by_single_keys_in_a_terminal(run: Path) -> None:
    """Each key is pressed when it is asked for, as a terminal drops what was typed before."""
    ours, theirs = pty.openpty()
    command = [*HOLDFAST, "label", str(run), "--count", "8", "--coder", "ana", "--terminal"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown, keys = b"", list("121000q")
        with contextlib.suppress(OSError):  # the other end is closed
            while chunk := os.read(ours, 4096):
                shown += chunk
                if keys and shown.rstrip().endswith(b"q stop)"):
                    time.sleep(0.2)  # until the terminal is in its raw mode
                    os.write(ours, keys.pop(0).encode())
        os.close(ours)
    assert process.returncode == 0, shown
    assert [[*label.levels.values()] for label in LabelFolder(run).answers("ana").values()] == [[1, 2, 1], [0, 0, 0]]


def test_a_table_goes_out_and_in(run: Path, tmp_path: Path) -> None:
    holdfast("label", run, "--count", 8, "--coder", "ana", "--terminal", given="210" * 8)
    out = tmp_path / "labels.csv"
    assert "8 labels in" in holdfast("label", run, "--coder", "ana", "--to", out).stdout
    out.write_text(out.read_text().replace("\nana,", "\nben,"))
    assert "8 labels of 1 coder read" in holdfast("label", run, "--coder", "ana", "--from", out).stdout
    assert LabelFolder(run).coders() == ["ana", "ben"]
    results = report(run)
    assert results.labels is not None
    assert [each.kappa for each in results.labels.between_coders if each.kappa is not None] == []  # all answers alike


def test_the_plan_says_what_labels_would_buy(run: Path) -> None:
    done = holdfast("label", run, "--plan", "--json")
    planned = json.loads(done.stdout)
    assert (planned["persons"], planned["correlation"]) == (3, 0.5)
    assert "assumption" in planned["correlation_from"]
    said = holdfast("label", run, "--plan").stdout
    assert "3 persons, 36 replies of 2 candidates" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere",), "nowhere"),
        (("{run}", "--count", "2"), "ask for"),
        (("{run}", "--coder", "../x"), "no coder's name"),
        (("{run}", "--from", "absent.csv"), "absent.csv"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(
    run: Path, words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["label", *(word.format(run=run) for word in words), "--terminal"]) == 2
    assert says in capsys.readouterr().err


def test_labels_go_to_a_file_of_a_known_ending(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["label", str(run), "--to", str(run / "labels.txt")]) == 2
    said = capsys.readouterr().err
    assert "--to: 'labels.txt' has no known ending (allowed: .parquet, .jsonl, .csv)" in said
    assert not (run / "labels").exists()
