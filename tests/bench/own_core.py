"""An event loop whose clock is CPU time: how long a run takes on a core of its own, measured on a busy machine."""

from __future__ import annotations

import asyncio
import selectors
import time


class _SkippingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Where the loop would sleep, the clock jumps instead."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not events and timeout:
            self.skipped += timeout
        return events


class OwnCoreLoop(asyncio.SelectorEventLoop):
    """``time()`` is the CPU time of this process plus all waiting, which takes no time. For work without sockets."""

    def __init__(self) -> None:
        self.clock = _SkippingSelector()
        super().__init__(self.clock)

    def time(self) -> float:
        return time.process_time() + self.clock.skipped
