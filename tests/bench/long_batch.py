"""1,000 conversations x 100 turns on an instant model, in a process of its own: peak memory, and whether it slows down.

``python tests/launch.py tests.bench.long_batch [CONVERSATIONS TURNS]`` prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from holdfast.simulator.monitor.progress import NoProgress
from holdfast.simulator.runtime.pipeline import report
from tests.bench.measure import Measure
from tests.bench.people import Instant, plan, session
from tests.launch import LAUNCH
from tests.simulator.engine.studies import run as run_session


class Tenths(NoProgress):
    """CPU seconds at the end of each tenth of the turns."""

    def start(self, total: int, done: int) -> None:
        self.step, self.turns, self.marks = total // 10, 0, [time.process_time()]

    def advance(self, turns: int = 1) -> None:
        self.turns += turns
        if self.turns % self.step == 0:
            self.marks.append(time.process_time())


def run(conversations: int, turns: int, out: Path) -> dict[str, Any]:
    """Hold them, then measure and write the report; MB of memory at most, CPU seconds of each tenth, file sizes."""
    tenths = Tenths()
    run_session(session(plan(conversations, turns), Instant(), scripted=False), out, progress=tenths)
    peak, began = peak_mb(), time.process_time()
    report(out)
    return {
        "turns": tenths.turns,
        "peak_mb_conversations": peak,
        "peak_mb": peak_mb(),
        "cpu_s_tenths": [round(end - start, 2) for start, end in zip(tenths.marks, tenths.marks[1:], strict=False)],
        "cpu_s_report": round(time.process_time() - began, 1),
        "journal_mb": size_mb(out / "journal.sqlite"),
        "report_mb": size_mb(out / "report.html"),
        "results_mb": size_mb(out / "results.json"),
    }


def peak_mb() -> float:
    """Of this process; Linux counts into ``ru_maxrss`` what the process that started it had taken."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def size_mb(path: Path) -> float:
    return round(path.stat().st_size / 1e6, 2)


def measures(scratch: Path) -> list[Measure]:
    """In a process of its own, because memory at its peak is the whole process's."""
    command = [sys.executable, LAUNCH, "tests.bench.long_batch"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    first, last = found["cpu_s_tenths"][0], found["cpu_s_tenths"][-1]
    return [
        Measure(
            f"1,000 conversations x 100 turns: peak memory (report {found['report_mb']:.1f} MB)",
            found["peak_mb"], "the goal", 1000.0, "MB", "at most 1 GB",
        ),
        Measure("its last tenth of turns", last, "its first tenth", first, "s", "ratio at least 0.83"),
    ]  # fmt: skip


if __name__ == "__main__":
    size = [int(word) for word in sys.argv[1:]] or [1000, 100]
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(size[0], size[1], Path(folder) / "run")))
