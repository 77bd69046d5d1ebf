"""A circuit breaker (Nygard, Release It!, 2007): an endpoint that is down is left alone, and asked again by one call.

::

    closed ──(failures in a row, or the server asks to wait)──► open ──(the pause is over)──► half open: one probe
       ▲                                                         ▲                                │
       └────────────────────── answered ─────────────────────────┼────────────────────────────────┤
                                                                 └──────── failed: twice as long ─┘
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from holdfast.agents.models.served.failures import EndpointError

State = Literal["closed", "open", "half open"]


@dataclass
class Breaker:
    """Belongs to one endpoint in one event loop. ``patience_s``: how long it may go without any answer while open."""

    where: str
    patience_s: float = 600.0
    after: int = 8  # failures in a row that open it
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    clock: Callable[[], float] | None = None

    state: State = "closed"
    _failures: int = 0
    _until: float = 0.0
    _pause_s: float = 0.0
    _asked: bool = False  # was it the server that asked for the pause?
    _away_since: float | None = None
    _waiting: asyncio.Event | None = None

    async def enter(self) -> bool:
        """Wait until a call may be made; True where it is the probe, whose outcome decides.

        :raises EndpointError: the endpoint has been away for longer than ``patience_s``.
        """
        while self.state != "closed":
            now = self._now()
            if self.state == "open" and now >= self._until:
                self.state = "half open"
                return True
            if self.given_up:
                raise EndpointError(self.farewell, "no answer")
            if self._asked and self.state == "open" and self._until - now > self.patience_s:
                wait = f"{self._until - now:.0f} s, longer than patience_s ({self.patience_s:g})"
                raise EndpointError(f"{self.where} asks to wait {wait}", "asks to wait")
            await self._wait(self._until - now if self.state == "open" else None)
        return False

    def answered(self) -> None:
        """A call was answered, well or with a refusal that is no fault of the endpoint's health."""
        self._failures, self._pause_s, self._away_since = 0, 0.0, None
        self._become("closed")

    def failed(self, wait_s: float | None = None) -> bool:
        """A call failed; ``wait_s``: the server asks everybody to wait so long. True where this opened the breaker."""
        now = self._now()
        self._failures += 1
        self._away_since = now if self._away_since is None else self._away_since
        if self.state == "closed" and self._failures < self.after and not wait_s:
            return False
        if self.state == "open":
            self._until = max(self._until, now + (wait_s or 0.0))  # calls that were under way when it opened
            self._asked = self._asked or bool(wait_s)
            return False
        opened = self.state == "closed"
        if wait_s:
            pause = wait_s
        else:
            longest = min(self.longest_pause_s, max(self.patience_s, self.first_pause_s))
            self._pause_s = pause = min(max(2 * self._pause_s, self.first_pause_s), longest)
        self._asked = bool(wait_s)
        self._until = now + pause
        self._become("open")
        return opened

    def left(self) -> None:
        """The probe was cancelled: another may try."""
        if self.state == "half open":
            self._until = self._now()
            self._become("open")

    @property
    def given_up(self) -> bool:
        """Whether it has gone without any answer for longer than ``patience_s``."""
        return self._away_since is not None and self._now() - self._away_since > self.patience_s

    @property
    def farewell(self) -> str:
        """What is said when it is given up."""
        return f"{self.where} has not answered for over {self.patience_s:g} s; given up for now"

    def _become(self, state: State) -> None:
        self.state = state
        if self._waiting is not None:
            self._waiting.set()
            self._waiting = None

    async def _wait(self, seconds: float | None) -> None:
        if self._waiting is None:
            self._waiting = asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                await self._waiting.wait()
        except TimeoutError:
            pass

    def _now(self) -> float:
        return self.clock() if self.clock is not None else asyncio.get_running_loop().time()
