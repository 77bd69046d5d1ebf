"""Show progress in steps: a bar in a terminal, an occasional line in a pipe, nothing when quiet."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from holdfast.simulator.cli.console import console

LINE_EVERY_S = 10.0
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
