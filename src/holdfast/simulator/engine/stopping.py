"""How a run stops early: Ctrl-C (once finishes the turns in flight, twice stops at once), a budget, or a failure.

Nothing finished is ever lost. What only waits for an endpoint is not in flight: it is released at once.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import TracebackType

from holdfast.agents.models.served.halt import halting


class StopSwitch:
    """``with StopSwitch(note) as stop`` in a running event loop of the main thread; elsewhere Ctrl-C stays as it is.

    ``reason``: why a budget stopped the run; None where none did. ``failure``: the endpoint that never answered.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        """``note``: shows a line to the user."""
        self._note = note
        self._task = asyncio.current_task()
        self._halt = halting()
        self._installed = False
        self.presses = 0
        self.reason: str | None = None

    def requested(self) -> bool:
        """True once the run is to stop: no new turn may start."""
        return self.presses > 0 or self.reason is not None or self._halt.failure is not None

    @property
    def failure(self) -> str | None:
        """What a conversation met that no other will be spared, so that the run is given up; None where none did."""
        return self._halt.failure

    def press(self) -> None:
        """Do what Ctrl-C asks for."""
        self.presses += 1
        if self.presses == 1:
            self._note("stopping: the turns in flight are being finished and kept (Ctrl-C again stops at once)")
            self._halt.request()
        elif self._task is not None:
            self._task.cancel()

    def request(self, reason: str) -> None:
        """Stop for ``reason`` after the turns in flight. Only the first reason counts."""
        if not self.requested():
            self.reason = reason
            self._note(f"stopping: {reason}; the turns in flight are being finished and kept")
            self._halt.request()

    def __enter__(self) -> StopSwitch:
        self._halt.begin()
        try:
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self.press)
            self._installed = True
        except (ValueError, RuntimeError, NotImplementedError):
            self._installed = False  # not the main thread, or a loop without signals
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._halt.end()
        if self._installed:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        if self.presses > 0 and (kind is None or kind is asyncio.CancelledError):
            raise KeyboardInterrupt from None
