"""What the environment says of the network: proxies and the certificates that are trusted.

==================================================== ============================================================
``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``       the proxy for addresses of that kind (also in small letters)
``NO_PROXY``                                         hosts, domains, addresses, networks that are reached without
``SSL_CERT_FILE``, ``SSL_CERT_DIR``                  the certificates that are trusted, instead of the system's
``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE``           a file or folder of certificates that are trusted as well
==================================================== ============================================================

They are read when connections are first opened, not at each request. A user name and password in a proxy's address go
to the proxy only. ``~/.netrc`` is not read: keys have one place (see ``agents/models/keys.py``).
"""

import base64
import ipaddress
import os
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from holdfast.agents.models.addresses import host_of, is_https, origin_of
from holdfast.agents.models.keys import key_fault
from holdfast.core.errors import InputError

_BUNDLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its ``url`` without user name and password, which are in ``authorization`` as a header shows them."""

    url: str
    variable: str
    authorization: str | None = None

    @property
    def in_words(self) -> str:
        """Where it is and who says so, for messages."""
        return f"the proxy {origin_of(self.url)} of {self.variable}"


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy that the environment names for ``url``; None without one.

    Raises:
        InputError: It is no address of a proxy that speaks HTTP. Its text is not repeated: it may hold a password.
    """
    proxies = getproxies_environment()
    scheme = urlsplit(url).scheme
    kind = scheme if proxies.get(scheme) else "all"
    address = proxies.get(kind)
    if not address or _kept_from_proxies(url, proxies):
        return None
    variable = f"{kind.upper()}_PROXY"
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        host, port, user, password = parts.hostname, parts.port, parts.username, parts.password
    except ValueError:
        host = port = user = password = None
    if not host or parts.scheme not in ("http", "https"):
        raise InputError(
            f"{variable} names no proxy that speaks HTTP (http://HOST:PORT), which {origin_of(url)} would be reached "
            f"through; correct it, or set NO_PROXY={host_of(url)} to do without a proxy"
        )
    host = f"[{host}]" if ":" in host else host
    login = None
    if user is not None:
        pair = f"{unquote(user)}:{unquote(password or '')}"
        login = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(f"{parts.scheme}://{host}" + (f":{port}" if port else ""), variable, login)


def trusted_certificates() -> ssl.SSLContext:
    """Return a TLS context that trusts what the environment says.

    Raises:
        InputError: A variable names what is not there, or holds no certificates.
    """
    return _context(tuple(os.environ.get(variable, "") for variable in _BUNDLES))


@lru_cache(maxsize=4)
def _context(values: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context()  # heeds SSL_CERT_FILE and SSL_CERT_DIR, and passes over what is not there
    for variable, value in zip(_BUNDLES, values, strict=True):
        if not value:
            continue
        if variable != "SSL_CERT_DIR" and not Path(value).exists():
            raise InputError(f"{variable} names {value!r}, which does not exist; correct it, or unset it")
        try:
            if variable == "SSL_CERT_FILE" or (not variable.startswith("SSL") and Path(value).is_file()):
                context.load_verify_locations(cafile=value)
            elif not variable.startswith("SSL"):
                context.load_verify_locations(capath=value)
        except (ssl.SSLError, OSError) as error:
            raise InputError(f"{variable} names {value!r}, which holds no certificates ({error})") from None
    return context


def check_network(url: str, key_variable: str | None) -> Proxy | None:
    """Return the proxy on the way to ``url``, after making sure that the key may go there and certificates are there.

    Raises:
        InputError: The key would be overheard or go astray, or the environment names no proper proxy or certificates.
    """
    proxy = proxy_for(url)
    if key_variable and os.environ.get(key_variable):
        fault = key_fault(key_variable, url, None if proxy is None else proxy.url)
        if fault is not None:
            raise InputError(fault)
    if is_https(url):
        trusted_certificates()
    return proxy


def _kept_from_proxies(url: str, proxies: dict[str, str]) -> bool:
    """Whether NO_PROXY names the host: itself, a domain above it, ``*``, or a network that its address is in."""
    host = host_of(url)
    port = urlsplit(url).port
    if proxy_bypass_environment(f"{host}:{port}" if port else host, proxies):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for entry in proxies.get("no", "").split(","):
        try:
            if address in ipaddress.ip_network(entry.strip().strip("[]"), strict=False):
                return True
        except ValueError:
            continue
    return False
