"""The last screen of a run: what a quickstart ends on stands on one screen, in a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from holdfast.simulator.results.store import write_results
from tests.simulator.report.make_fixture import make_study

SHOWING = (
    "import sys; from pathlib import Path; from holdfast.simulator.results.store import read_results; "
    "from holdfast.simulator.cli.studies.summary import print_summary; "
    "print_summary(read_results(Path(sys.argv[1])), Path('runs/quickstart'))"
)
FIVE = ("base", "oracle", "routed", "system_prompt", "system_prompt_with_reminder")


def on_a_terminal(folder: Path, rows: int, columns: int) -> list[str]:
    screen, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    command = [sys.executable, "-c", SHOWING, str(folder)]
    subprocess.run(
        command,
        stdout=end,
        check=True,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "xterm"},
    )
    os.close(end)
    written = os.read(screen, 65_536).decode()
    os.close(screen)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written).replace("\r", "").rstrip("\n").split("\n")


def test_the_quickstarts_arms_fit_on_one_screen(tmp_path: Path) -> None:
    results = make_study(24, FIVE)[0]
    harmed = results.harmed or []
    counted = {name: part.model_copy(update={"disqualified": {"loop": 3}}) for name, part in results.candidates.items()}
    write_results(tmp_path / "results.json", results.model_copy(update={"candidates": counted}))
    lines = on_a_terminal(tmp_path, 24, 100)
    assert len(lines) <= 24, "\n".join(lines)
    assert max(map(len, lines)) <= 100
    said = " ".join(" ".join(lines).split())
    assert "the system prompt with reminders (the strongest untrained)" in said
    assert "experts told the task (the strongest trained)" in said
    assert "this design would have shown a difference of 0." in said
    assert ("less adherence than the baseline" in said) == bool(harmed)
    assert "replies disqualified, with adherence 0: base 3 of " in said
    for name in FIVE:
        (row,) = [line for line in lines if line.startswith(f"│ {name} ")]
        assert row.rstrip("│ ").endswith(("yes", "no", "cannot tell"))
