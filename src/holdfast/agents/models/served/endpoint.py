"""One endpoint: its connections, how many requests may be in flight, and its circuit breaker.

aiohttp, because a call costs it a twelfth of httpx's CPU time and a thirtieth of what the OpenAI SDK takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from weakref import WeakKeyDictionary

from holdfast.agents.models.addresses import is_https, origin_of
from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.served.body import read_body
from holdfast.agents.models.served.circuit_breaker import Breaker
from holdfast.agents.models.served.connection_failures import connection_failure
from holdfast.agents.models.served.first_contact import FirstContact
from holdfast.agents.models.served.network import Proxy, check_network, trusted_certificates
from holdfast.agents.models.served.refusals import Asked, no_answer, redirect, refusal

if TYPE_CHECKING:
    import aiohttp

CONNECT_S = 6.0  # longest wait for a connection, TLS included, where timeout_s is not shorter
CHAT = "chat/completions"
_ANSWERS = range(200, 300)  # a proxy may make a 203 of it; one without a body is told as empty
_SAME_REQUEST = frozenset((307, 308))  # redirects after which the same request may be sent again
_MOST_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """See the fields of the same names in :class:`holdfast.agents.models.spec.ModelSpec`."""

    timeout_s: float = 120.0
    concurrency: int = 256
    retries: int = 6
    patience_s: float = 600.0
    wait_s: float = 0.0


@dataclass
class Connections:
    """An endpoint as one event loop uses it."""

    session: aiohttp.ClientSession
    gate: asyncio.Semaphore
    breaker: Breaker
    proxy: Proxy | None
    options: Mapping[str, Any]  # what every request is sent with
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
    contact: FirstContact = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        contact = FirstContact(self.base_url, self.limits.retries, self.limits.wait_s)
        object.__setattr__(self, "contact", contact)

    async def line(self) -> Connections:
        """Return the connections of the running event loop, opened at the first call.

        Raises:
            InputError: The key must not be sent there, or the environment names no proper proxy or certificates.
        """
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            proxy = check_network(self.base_url, self.key.variable)
            keeper = self._keep_open(proxy)
            session = await anext(keeper)
            gate = asyncio.Semaphore(self.limits.concurrency)
            breaker = Breaker(self.base_url, self.limits.patience_s, contact=self.contact)
            line = Connections(session, gate, breaker, proxy, self._options(proxy), keeper)
            line = self._lines.setdefault(loop, line)
        return line

    async def post(self, path: str, body: bytes, model: str | None) -> bytes:
        """Return the body of the answer to one attempt. ``model``: its name there; None for an application.

        Raises:
            TransientError: Another try may help.
            EndpointError: It would not: an unknown model, a refused key, a conversation too long.
        """
        import aiohttp

        line, url = await self.line(), f"{self.base_url}/{path}"
        for _ in range(_MOST_REDIRECTS):
            try:
                async with line.session.post(url, data=body, **line.options) as response:
                    answer = await read_body(response, self.base_url)
                    status, headers = response.status, response.headers
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise connection_failure(error, self.base_url, self.limits.timeout_s, line.proxy, self.key) from None
            if status in _ANSWERS and (path != CHAT or _may_be_answer(answer)):
                return answer
            to = _target(url, headers) if 300 <= status < 400 else ""
            if not (status in _SAME_REQUEST and to and origin_of(to) == origin_of(url)):
                break
            url = to
        asked = Asked(self.base_url, model, self.key, "chat completions" if path == CHAT else path)
        if 300 <= status < 400:
            raise redirect(status, _without_query(to), asked)
        if status >= 300:
            raise refusal(status, headers, answer, asked)
        problem = no_answer(answer, headers, asked)
        if problem is not None:
            raise problem
        return answer

    async def _keep_open(self, proxy: Proxy | None) -> AsyncGenerator[aiohttp.ClientSession, None]:
        """A session that ``asyncio.run`` closes with its other asynchronous generators, whoever opened it."""
        import aiohttp

        limit = self.limits.timeout_s
        timeout = aiohttp.ClientTimeout(total=limit, connect=min(CONNECT_S, limit))
        addresses = (self.base_url,) if proxy is None else (self.base_url, proxy.url)
        trusted = trusted_certificates() if any(map(is_https, addresses)) else True
        connector = aiohttp.TCPConnector(limit=self.limits.concurrency, keepalive_timeout=15, ssl=trusted)
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            headers=self._headers() if proxy is None else None,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # read_body does it, within bounds
            proxy=None if proxy is None else proxy.url,
        ) as session:
            yield session

    def _options(self, proxy: Proxy | None) -> Mapping[str, Any]:
        """What requests are sent with. aiohttp gives a session's headers to its proxy too, where no key belongs.

        The ``Authorization`` of ``proxy_headers`` is what aiohttp sends the proxy as ``Proxy-Authorization``.
        """
        if proxy is None:
            return {"allow_redirects": False}
        login = {"Authorization": proxy.authorization} if proxy.authorization else {}
        return {"allow_redirects": False, "headers": self._headers(), "proxy_headers": login}

    def _headers(self) -> Mapping[str, str]:
        key = self.key.reveal()
        common = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}
        return common | ({"Authorization": f"Bearer {key}"} if key else {})

    def __getstate__(self) -> dict[str, Any]:
        """Without its connections: another process opens its own."""
        return {"base_url": self.base_url, "key": self.key, "limits": self.limits}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in {**state, "_lines": WeakKeyDictionary()}.items():
            object.__setattr__(self, name, value)
        self.__post_init__()


def _may_be_answer(body: bytes) -> bool:
    """A look at the bytes, which costs less than a microsecond: most answers need no more."""
    return body[:1] == b"{" and b'"choices"' in body and b'"error"' not in body


def _target(url: str, headers: Mapping[str, str]) -> str:
    """Where a redirect leads, "" where it does not say, or to no address of a server."""
    try:
        to = urljoin(url, headers.get("Location", "").strip()) if headers.get("Location") else ""
        parts = urlsplit(to)
        _ = parts.port
    except ValueError:
        return ""
    return to if parts.scheme in ("http", "https") and parts.hostname else ""


def _without_query(url: str) -> str:
    """The address without user name, query and fragment, which may hold a key."""
    return f"{origin_of(url)}{urlsplit(url).path}" if url else ""
