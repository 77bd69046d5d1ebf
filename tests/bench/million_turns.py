"""``python tests/launch.py tests.bench.million_turns [TURNS]``: a log of a million turns through ``holdfast measure``.

Writes the log, measures it in a process of its own, and prints CPU seconds (that process and its workers), peak memory
(the largest process, and the sum of all) and turns per CPU second. Replies are drawn from sentences of 5 to 40 words.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

TURNS = 20  # of a conversation
OPENERS = ("I am so sorry to hear that.", "That sounds really hard.", "What part worries you the most?", "Sure.")
TEXT = (
    "the report you wrote last week should be split into smaller steps before it goes to your team and then we can "
    "look at how you feel about talking with them again because it seems that nobody has asked you what you need now"
)
WORDS = TEXT.split()


def write_log(path: Path, turns: int) -> None:
    """A JSON-lines log: conversations of ``TURNS`` turns by 4 models and 5,000 speakers."""
    rng = random.Random(0)

    def text(low: int, high: int) -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(low, high))).capitalize() + "."

    with path.open("w", encoding="utf-8") as file:
        for number in range(turns // TURNS):
            messages = []
            for _ in range(TURNS):
                messages.append({"role": "user", "content": text(5, 25)})
                messages.append({"role": "assistant", "content": f"{rng.choice(OPENERS)} {text(5, 40)} {text(5, 20)}"})
            speaker, model = f"p{rng.randrange(5000)}", f"m{number % 4}"
            file.write(json.dumps({"id": number, "speaker": speaker, "model": model, "messages": messages}) + "\n")


def measure(path: Path) -> dict[str, float]:
    """CPU and wall seconds, peak resident bytes of the whole process tree and of its largest process."""
    code = "from holdfast.simulator.cli.main import main; main()"
    began = time.monotonic()
    command = [sys.executable, "-c", code, "measure", str(path), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    root, printed = psutil.Process(process.pid), b""
    cpu: dict[int, float] = {}
    together = largest = 0
    while process.poll() is None:
        printed += process.stdout.read() or b""
        try:
            family = [root, *root.children(recursive=True)]
            sizes = [one.memory_info().rss for one in family]
            cpu |= {one.pid: sum(one.cpu_times()[:2]) for one in family}
            together, largest = max(together, sum(sizes)), max(largest, *sizes)
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.1)
    printed += process.stdout.read() or b""
    assert process.returncode == 0, process.returncode
    results = json.loads(printed)
    wall = time.monotonic() - began
    return {"turns": results["turns"], "cpu_s": sum(cpu.values()), "wall_s": wall, "sum": together, "largest": largest}


def main() -> None:
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        write_log(path, turns)
        size = path.stat().st_size
        found = measure(path)
    print(f"{found['turns']:,} turns, {size / 1e6:.0f} MB of JSON lines")
    print(f"{found['cpu_s']:.0f} s of CPU in all processes, {found['wall_s']:.0f} s on the clock")
    print(f"{found['turns'] / found['cpu_s']:,.0f} turns per CPU second")
    print(f"peak memory {found['sum'] / 1e6:.0f} MB in all processes, {found['largest'] / 1e6:.0f} MB in the largest")


if __name__ == "__main__":
    main()
