"""Show progress of unknown length: a counter in a terminal, an occasional line in a pipe."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_EVERY_S = 10.0
DRAW_EVERY_S = 0.2


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
