"""Addresses of endpoints: what may be written as ``base_url``, which host it names, and where it leads."""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from holdfast.core.wording import quote

_ODD = re.compile(r"[\s\\<>\"'{}|^`\x00-\x1f\x7f]")
_HOST_ONLY = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d+)?(/[^?#@]*)?")
_PATHS_BEHIND = ("/chat/completions", "/completions", "/models", "/responses")
_VERSION = re.compile(r"/v\d+([a-z]+\d*)?(/|$)")
_NO_KEYS = "keys are taken from the environment only: name the variable that holds one with 'api_key_env'"


def address_fault(url: str) -> str | None:
    """Say what is wrong with a ``base_url`` and what to write instead; None where nothing is.

    What stands in a user name, a query or a fragment may be a key, and is not repeated.
    """
    secret = "@" in url or "?" in url or "#" in url
    if not url.lower().startswith(("http://", "https://")):
        return _fault_without_scheme(url, secret)
    try:
        parts = urlsplit(url)
        readable = bool(parts.hostname) and (parts.port or 1) > 0 and (secret or not _ODD.search(url))
    except ValueError:
        readable = False
    if not readable:
        shown = "what stands here" if secret else quote(url)
        return f"{shown} is no address: such as http://localhost:8000/v1 or https://api.example.com/v1"
    if secret:
        what = "a user name or password" if "@" in url else "a query ('?…') or fragment ('#…')"
        return f"{what} stands in the address, which is not repeated here because it may be a key; {_NO_KEYS}"
    behind = [path for path in _PATHS_BEHIND if parts.path.rstrip("/").endswith(path)]
    if behind:
        short = url.rstrip("/").removesuffix(behind[0])
        return f"{quote(url)} ends too late: {behind[0]} is added to it; write {short}"
    return None


def _fault_without_scheme(url: str, secret: bool) -> str:
    if secret:
        return f"the address must begin with http:// or https://, and hold no key; {_NO_KEYS}"
    better = with_version(f"http://{url}") if _HOST_ONLY.fullmatch(url) else "such as http://localhost:8000/v1"
    return f"{quote(url)} must begin with http:// or https://; write {better}"


def origin_of(url: str) -> str:
    """Return scheme, host and port of ``url``, the parts of which hold no key."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = _port(parts)
    return f"{parts.scheme}://{host}" + ("" if port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}")


def is_https(url: str) -> bool:
    """Return whether what is sent there is encrypted; schemes are written in any case (RFC 3986, 3.1)."""
    return url[:6].lower() == "https:"


def host_of(url: str) -> str:
    """Return the host's name in lower case, "" where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_within(url: str, hosts: Iterable[str]) -> bool:
    """Return whether the host is one of ``hosts``, or lies below one."""
    host = host_of(url)
    return any(host == own or host.endswith(f".{own}") for own in hosts)


def is_loopback(url: str) -> bool:
    """Return whether what is sent there never leaves this machine."""
    host = host_of(url)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def has_version(url: str) -> bool:
    """Return whether the path has a part such as ``/v1``, under which nearly every server has its chat completions."""
    try:
        return _VERSION.search(urlsplit(url).path) is not None
    except ValueError:
        return False


def with_version(url: str) -> str:
    """Return ``url`` with ``/v1`` behind it, unless it has a version."""
    return url.rstrip("/") if has_version(url) else f"{url.rstrip('/')}/v1"


_DEFAULT_PORTS = {"http": 80, "https": 443}


def _port(parts: SplitResult) -> int | None:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme)
