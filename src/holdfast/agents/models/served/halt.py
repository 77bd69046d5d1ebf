"""The end of a run, as whatever waits for an endpoint in the same event loop hears of it.

The simulator stops a run for Ctrl-C, a spent budget, or an endpoint that never answers. Calls that are only waiting
then (for a circuit breaker, for the next try) are released at once with a :class:`HaltedError`, wherever in a
conversation they were made.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from holdfast.core.errors import HaltedError

_HALTS: WeakKeyDictionary[asyncio.AbstractEventLoop, "Halt"] = WeakKeyDictionary()


class Halt:
    """Whether what runs in one event loop is to end, and why where it failed.

    ``armed``: a run goes on that would stop at a request.
    """

    def __init__(self) -> None:
        self.armed = False
        self.failure: str | None = None
        self._requested = asyncio.Event()
        self._wakers: set[Callable[[], None]] = set()

    @property
    def requested(self) -> bool:
        """Whether nothing should wait any longer."""
        return self._requested.is_set()

    def request(self, failure: str | None = None) -> None:
        """Release whatever waits; ``failure``: why the run has failed. Only the first failure counts."""
        self.failure = self.failure or failure
        self._requested.set()
        for wake in tuple(self._wakers):
            wake()

    def begin(self) -> None:
        """A run begins, which a request will stop; what an earlier one was asked is forgotten."""
        self.armed, self.failure = True, None
        self._requested.clear()

    def end(self) -> None:
        """The run is over: calls may wait again. Why it failed stays readable."""
        self.armed = False
        self._requested.clear()

    def listen(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called by :meth:`request`."""
        self._wakers.add(wake)

    async def sleep(self, seconds: float) -> None:
        """Sleep. Raises HaltedError as soon as the end is requested."""
        try:
            async with asyncio.timeout(seconds):
                await self._requested.wait()
        except TimeoutError:
            return
        raise halted()

    async def wait(self) -> None:
        """Return when the end is requested."""
        await self._requested.wait()


def halting() -> Halt:
    """Return the halt of the running event loop."""
    loop = asyncio.get_running_loop()
    halt = _HALTS.get(loop)
    return halt if halt is not None else _HALTS.setdefault(loop, Halt())


def halted() -> HaltedError:
    """Return the error of a call that was released."""
    return HaltedError("the run is being stopped, so this call no longer waits for its endpoint")
