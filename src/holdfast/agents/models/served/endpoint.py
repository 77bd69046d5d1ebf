"""One endpoint: its connections, how many requests may be in flight, and its circuit breaker.

aiohttp, because a call costs it a twelfth of httpx's CPU time and a thirtieth of what the OpenAI SDK takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.served.circuit_breaker import Breaker
from holdfast.agents.models.served.failures import TransientError, refusal

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """See the fields of the same names in :class:`holdfast.agents.models.spec.ModelSpec`."""

    timeout_s: float = 120.0
    concurrency: int = 256
    retries: int = 6
    patience_s: float = 600.0


@dataclass
class Connections:
    """An endpoint as one event loop uses it."""

    session: aiohttp.ClientSession
    gate: asyncio.Semaphore
    breaker: Breaker
    _keeper: AsyncGenerator[aiohttp.ClientSession, None]  # closes the session when the loop ends


@dataclass(frozen=True)
class Endpoint:
    """Where requests go. Models at the same endpoint share it, so that its limits hold for all of them together."""

    base_url: str
    key: ApiKey = field(default_factory=ApiKey)
    limits: EndpointLimits = field(default_factory=EndpointLimits)
    _lines: WeakKeyDictionary[asyncio.AbstractEventLoop, Connections] = field(
        default_factory=WeakKeyDictionary, init=False, repr=False, compare=False
    )

    async def line(self) -> Connections:
        """The connections of the running event loop, opened at the first call."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            keeper = self._keep_open()
            session = await anext(keeper)
            gate = asyncio.Semaphore(self.limits.concurrency)
            breaker = Breaker(self.base_url, self.limits.patience_s)
            line = self._lines.setdefault(loop, Connections(session, gate, breaker, keeper))
        return line

    async def post(self, path: str, body: bytes, model: str) -> bytes:
        """The body of the answer to one attempt.

        :raises TransientError: another try may help.
        :raises ModelError: it would not: an unknown model, a refused key, a conversation too long.
        """
        import aiohttp

        line = await self.line()
        try:
            async with line.session.post(f"{self.base_url}/{path}", data=body) as response:
                answer, status, headers = await response.read(), response.status, response.headers
        except TimeoutError:
            raise TransientError("timeout", f"no answer within {self.limits.timeout_s:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise TransientError("no connection", self.key.clean(str(error))) from None
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError) as error:
            raise TransientError("cut short", self.key.clean(str(error))) from None
        except aiohttp.ClientResponseError as error:  # no HTTP at all; its own text would show the request's headers
            raise TransientError("malformed", self.key.clean(error.message)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise TransientError("reset", self.key.clean(str(error))) from None
        if status != 200:
            raise refusal(status, headers, answer, where=self.base_url, model=model, key=self.key)
        return answer

    async def _keep_open(self) -> AsyncGenerator[aiohttp.ClientSession, None]:
        """A session that ``asyncio.run`` closes with its other asynchronous generators, whoever opened it."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=self.limits.timeout_s)
        connector = aiohttp.TCPConnector(limit=self.limits.concurrency, keepalive_timeout=15)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=self._headers(), cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            yield session

    def _headers(self) -> Mapping[str, str]:
        key = self.key.reveal()
        return {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def __getstate__(self) -> dict[str, Any]:
        """Without its connections: another process opens its own."""
        return {"base_url": self.base_url, "key": self.key, "limits": self.limits}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in {**state, "_lines": WeakKeyDictionary()}.items():
            object.__setattr__(self, name, value)
