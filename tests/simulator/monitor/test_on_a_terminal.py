"""A run as a person meets it in a terminal: the live view, and Ctrl-C once or twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.status import StatusReader
from tests.bench.endpoint import scripted_server
from tests.launch import LAUNCH
from tests.simulator.engine.studies import run, session, study, transcripts
from tests.simulator.engine.test_run import ROOT, wait_for_turns
from tests.simulator.recorded import STUDY


def in_terminal(out: Path, pause: float) -> pexpect.spawn:
    arguments = [LAUNCH, "tests.simulator.engine.studies", str(out), str(pause), "terminal"]
    return pexpect.spawn(sys.executable, arguments, cwd=str(ROOT), timeout=60, dimensions=(30, 140), encoding="utf-8")


def kept_turns(out: Path) -> int:
    with Journal.read(out / "journal.sqlite") as journal:
        return journal.count().turns


def test_the_live_view_shows_turns_and_adherence_so_far(tmp_path: Path) -> None:
    terminal = in_terminal(tmp_path, pause=0.05)
    terminal.expect(r"\d+/162 turns, \d+\.\d turns/s, \d+ s left")
    terminal.expect(r"adherence so far: .*base 0\.\d\d")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_ctrl_c_once_finishes_what_is_in_flight_and_twice_stops_at_once(tmp_path: Path) -> None:
    plan = study(replicates=3)
    run(session(plan), tmp_path / "calm")
    out = tmp_path / "run"

    once = in_terminal(out, pause=0.5)
    wait_for_turns(out, 8)
    once.sendintr()
    once.expect("stopping: the turns in flight are being finished and kept")
    once.expect(pexpect.EOF)
    once.close()
    assert once.exitstatus == 130
    kept = kept_turns(out)
    assert kept >= 8
    now = StatusReader(out).look()
    assert (now.state, now.reason) == ("stopped", "interrupted")

    twice = in_terminal(out, pause=3600.0)  # no answer will come
    twice.expect("turns/s|0/162|turns")
    with pytest.raises(pexpect.TIMEOUT):
        twice.expect(pexpect.EOF, timeout=1)
    twice.sendintr()
    twice.expect("stopping: the turns in flight")
    with pytest.raises(pexpect.TIMEOUT):  # it waits for them
        twice.expect(pexpect.EOF, timeout=1)
    twice.sendintr()
    twice.expect(pexpect.EOF)
    twice.close()
    assert twice.exitstatus == 130
    assert kept_turns(out) == kept

    run(session(plan), out, resume=True)
    assert transcripts(out) == transcripts(tmp_path / "calm")


@pytest.mark.slow
def test_the_command_itself_over_an_endpoint(tmp_path: Path) -> None:
    """``holdfast run`` in a terminal: figures of the endpoint in the live view, Ctrl-C, and on with --resume."""
    out, written = tmp_path / "run", tmp_path / "study.yaml"
    with scripted_server("--latency", "0.3") as url:
        written.write_text(json.dumps({**STUDY, "model": {"ref": "openai:any", "base_url": url}}))
        command = ["-c", "from holdfast.simulator.cli.main import main; main()", "run", str(written), "--out", str(out)]
        terminal = pexpect.spawn(
            sys.executable, command, cwd=str(ROOT), timeout=120, dimensions=(30, 140), encoding="utf-8"
        )
        terminal.expect(r"\d+/36 turns, \d+\.\d turns/s")
        terminal.expect(r"requests \d+, answered \d+")
        terminal.sendintr()
        terminal.expect("interrupted")
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 130
        kept = kept_turns(out)
        assert 0 < kept < 36
        whole = subprocess.run(
            [sys.executable, *command, "--resume"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    assert kept_turns(out) == 36
    assert f"{kept} of 36 turns were in the journal already" in whole.stderr  # plain lines in a pipe
    assert "\x1b" not in whole.stdout + whole.stderr
    assert "report " in whole.stdout
