"""What need not wait for torch does not load it: measurement, and ``holdfast measure`` on logs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MEASURE_ALL = """
import importlib, pkgutil
from holdfast.simulator import measure
for module in pkgutil.walk_packages(measure.__path__, "holdfast.simulator.measure."):
    importlib.import_module(module.name)
"""
RUN_MEASURE = """
import sys
from holdfast.simulator.cli.main import run_command
assert run_command(["measure", *sys.argv[1:]]) == 0
"""
REPORT = """
import json, sys, time
heavy = ("torch", "transformers", "peft", "trl", "ray", "matplotlib", "langgraph")
ours = [name for name in sys.modules if name.startswith("holdfast.simulator.measure.")]
print(json.dumps([[name for name in heavy if name in sys.modules], len(ours), time.process_time()]))
"""


def in_fresh_python(script: str, *arguments: str) -> tuple[list[str], int, float]:
    """Run ``script``; return the heavy packages it loaded, how many measures, and its seconds of CPU."""
    command = [sys.executable, "-P", "-c", script + REPORT, *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    heavy, measures, seconds = json.loads(shown.stdout.splitlines()[-1])
    return heavy, measures, seconds


def chats(path: Path, count: int = 500) -> Path:
    """Write ``count`` conversations of three to five turns as JSON lines of messages."""
    said = ("I lost my keys again and feel silly.", "The landlord will not call back.", "It is better today, a little.")
    replies = (
        "That sounds tiring. What then?",
        "Call the office, and ask for a form.",
        "I am glad to hear it!",
    )
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            turns = range(number, number + 3 + number % 3)
            pairs = [(f"{said[turn % 3]} ({turn})", replies[turn * turn % 3]) for turn in turns]
            messages = [
                {"role": role, "content": text}
                for pair in pairs
                for role, text in zip(("user", "assistant"), pair, strict=True)
            ]
            file.write(json.dumps({"id": f"chat {number}", "messages": messages}) + "\n")
    return path


def test_importing_every_measure_loads_nothing_heavy() -> None:
    heavy, measures, _ = in_fresh_python(MEASURE_ALL)
    assert heavy == []
    assert measures > 20


def test_measuring_five_hundred_chats_loads_nothing_heavy_and_is_quick(tmp_path: Path) -> None:
    log = chats(tmp_path / "chats.jsonl")
    heavy, _, seconds = in_fresh_python(RUN_MEASURE, str(log), "--out", str(tmp_path / "out"), "--quiet")
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert results["conversations"] == 500
    assert (tmp_path / "out" / "report.html").exists()
    assert heavy == []
    assert seconds < 4  # CPU, not wall time: other processes may be busy
