"""A circuit breaker (Nygard, Release It!, 2007): an endpoint that is down is left alone, and asked again by one call.

::

    untried ──► half open: one probe ──── answered ──► closed ──(failures in a row, or the server asks to wait)──► open
                   ▲     │                                                                                          ▲ │
                   │     └────────── failed: twice as long ─────────────────────────────────────────────────────────┘ │
                   └───────────────────────────────────── the pause is over ──────────────────────────────────────────┘

A pause that the server asked for (``Retry-After``) holds until its time, whatever is answered meanwhile.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from holdfast.agents.models.served.failures import EndpointError, TransientError
from holdfast.agents.models.served.first_contact import FirstContact
from holdfast.agents.models.served.halt import halted, halting

State = Literal["untried", "closed", "open", "half open"]


def _known() -> FirstContact:
    return FirstContact("", answered=True)


@dataclass
class Breaker:
    """Belongs to one endpoint in one event loop. ``patience_s``: how long it may go without any answer while open.

    ``contact``: whether the endpoint has answered before; a breaker of one that has not begins as "untried".
    """

    where: str
    patience_s: float = 600.0
    after: int = 8  # failures in a row that open it
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    clock: Callable[[], float] | None = None
    contact: FirstContact = field(default_factory=_known)

    state: State = "closed"
    answers: int = 0  # so far, refusals of single requests among them
    _failures: int = 0
    _until: float = 0.0
    _pause_s: float = 0.0
    _asked: bool = False  # was it the server that asked for the pause?
    _away_since: float | None = None
    _waiting: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.state = "closed" if self.contact.answered else "untried"

    async def enter(self, model: str = "") -> bool:
        """Wait until a call to ``model`` may be made; True where it is the probe, whose outcome decides.

        Raises:
            EndpointError: the endpoint has been away for longer than ``patience_s``, or was given up before it had
                ever answered.
            HaltedError: the run is being stopped.
        """
        if not self.contact.clear:
            self.contact.check(model, self._now())
        while self.state != "closed":
            now = self._now()
            self.contact.check(model, now)
            if halting().requested:
                raise halted()
            if self.state == "untried" or (self.state == "open" and now >= self._until):
                self.state = "half open"
                return True
            if self.given_up:
                raise EndpointError(self.farewell, "no answer")
            if self._asked and self.state == "open" and self._until - now > self.patience_s:
                wait = f"{self._until - now:.0f} s, longer than patience_s ({self.patience_s:g})"
                raise EndpointError(f"{self.where} asks to wait {wait}", "asks to wait")
            await self._wait(self._until - now if self.state == "open" else None)
        return False

    def answered(self, model: str | None = None) -> None:
        """A call was answered, by ``model``, or (None) with a refusal that is no fault of the endpoint's health."""
        self._failures, self._pause_s, self._away_since = 0, 0.0, None
        self.answers += 1
        if model is not None:
            self.contact.met(model)
        else:
            self.contact.answered = True
        if self.state == "open" and self._asked and self._now() < self._until:
            return
        self._become("closed")

    def refused(self, model: str, error: EndpointError) -> None:
        """A call was refused for good, as any other to ``model`` would be where it has never answered."""
        if not error.barring or model in self.contact.models:
            self.answered()
            return
        self.contact.refuse(model, error, self._now())
        if self.contact.answered:
            self.answered()
        else:
            self.left()

    def failed(self, wait_s: float | None = None) -> bool:
        """A call failed; ``wait_s``: the server asks everybody to wait so long. True where this opened the breaker."""
        now = self._now()
        self._failures += 1
        self._away_since = now if self._away_since is None else self._away_since
        if self.state == "closed" and self._failures < self.after and not wait_s:
            return False
        if self.state == "open":  # calls that were under way when it opened
            self._until = max(self._until, now + (wait_s or 0.0))
            self._asked = self._asked or bool(wait_s)
            return False
        opened = self.state == "closed"
        if wait_s:
            pause = wait_s
        else:
            longest = min(self.longest_pause_s, max(self.patience_s, self.first_pause_s))
            self._pause_s = pause = min(max(2 * self._pause_s, self.first_pause_s), longest)
        self._open(now + pause, asked=bool(wait_s))
        return opened

    def failed_first(self, failure: TransientError) -> bool:
        """A call failed before the endpoint had ever answered; True where it was the first that did.

        Raises:
            EndpointError: the endpoint is given up, for the calls that wait too.
        """
        now = self._now()
        first = self._away_since is None
        self._away_since = now if self._away_since is None else self._away_since
        try:
            pause = self.contact.failed(failure, now)
        except EndpointError:
            self._away_since = None
            self._open(now, asked=False)
            raise
        self._open(now + pause, asked=bool(failure.wait_s))
        return first

    def left(self) -> None:
        """The probe was cancelled, or said nothing of the endpoint: another may try."""
        if self.state == "half open":
            self._open(self._now(), asked=False)

    def wake(self) -> None:
        """Have every waiting call look again."""
        if self._waiting is not None:
            self._waiting.set()
            self._waiting = None

    @property
    def given_up(self) -> bool:
        """Whether it has gone without any answer for longer than ``patience_s``."""
        return self._away_since is not None and self._now() - self._away_since > self._patience

    @property
    def farewell(self) -> str:
        """What is said when it is given up."""
        return f"{self.where} has not answered for over {self._patience:g} s; given up for now"

    @property
    def _patience(self) -> float:
        return self.patience_s if self.contact.answered else max(self.patience_s, self.contact.wait_s)

    def _open(self, until: float, *, asked: bool) -> None:
        self._until, self._asked = until, asked
        self._become("open")

    def _become(self, state: State) -> None:
        self.state = state
        self.wake()

    async def _wait(self, seconds: float | None) -> None:
        if self._waiting is None:
            self._waiting = asyncio.Event()
            halting().listen(self.wake)
        try:
            async with asyncio.timeout(seconds):
                await self._waiting.wait()
        except TimeoutError:
            pass

    def _now(self) -> float:
        return self.clock() if self.clock is not None else asyncio.get_running_loop().time()
