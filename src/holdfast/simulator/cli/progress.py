"""Show progress on standard error: a bar or a counter in a terminal, an occasional line in a pipe."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from holdfast.simulator.cli.console import console

LINE_EVERY_S, DRAW_EVERY_S = 10.0, 0.2
Report = Callable[[int, int, float], None]


@contextmanager
def steps(what: str, *, quiet: bool) -> Iterator[Report]:
    """Yield a callback (step, total steps, loss) that shows the progress of ``what`` on standard error."""
    if quiet:
        yield lambda _step, _steps, _loss: None
    elif sys.stderr.isatty():
        columns = (
            TextColumn(what),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console(stderr=True)) as progress:
            task = progress.add_task(what, total=None, loss="")

            def bar(step: int, total: int, loss: float) -> None:
                progress.update(task, completed=step, total=total, loss=f"loss {loss:.3f}")

            yield bar
    else:
        last = time.monotonic()

        def line(step: int, total: int, loss: float) -> None:
            nonlocal last
            if time.monotonic() - last >= LINE_EVERY_S or step == total:
                last = time.monotonic()
                print(f"{what}: {step}/{total}, loss {loss:.3f}", file=sys.stderr, flush=True)

        yield line


@contextmanager
def counting(first: str, second: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield a callback (``first`` so far, ``second`` so far) that shows both on standard error."""
    terminal = sys.stderr.isatty()
    every = DRAW_EVERY_S if terminal else LINE_EVERY_S
    began = last = time.monotonic()
    shown = False

    def count(a: int, b: int) -> None:
        nonlocal last, shown
        now = time.monotonic()
        if quiet or now - last < every:
            return
        last, shown = now, True
        speed = b / max(now - began, 1e-9)
        text = f"{a:,} {first}, {b:,} {second}, {speed:,.0f} a second"
        print(f"\r\x1b[K{text}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)

    try:
        yield count
    finally:
        if shown and terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
