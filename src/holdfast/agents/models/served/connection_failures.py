"""What aiohttp raises where no response came, as failures in plain words that say what to do."""

import errno
import os
import re
import ssl
from dataclasses import replace
from typing import Any

from holdfast.agents.models.addresses import host_of, is_https, is_loopback, origin_of
from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.served.failures import Sign, TransientError
from holdfast.agents.models.served.network import Proxy

_STARTING = (
    "is the server running there? for one that is still starting try again, or let holdfast run wait for it with "
    "--wait-for-endpoint SECONDS"
)
_CERTIFICATE = (
    "if it is a server of your own, set SSL_CERT_FILE (or REQUESTS_CA_BUNDLE) to the file with the certificate of the "
    "authority that signed it"
)


def connection_failure(
    error: Exception, where: str, timeout_s: float, proxy: Proxy | None, key: ApiKey
) -> TransientError:
    """Return what ``error`` means, met on the way to ``where``."""
    failure = _meaning_of(error, where, timeout_s)
    through = f" through {proxy.in_words}" if proxy is not None else ""
    return replace(failure, detail=f"{key.clean(failure.detail)}{through}")


def _meaning_of(error: Any, where: str, timeout_s: float) -> TransientError:
    import aiohttp

    made: TransientError
    match error:
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            made = TransientError("certificate", _reason(error), sign="wrong", advice=_CERTIFICATE)
        case aiohttp.ClientSSLError() | ssl.SSLError():
            made = _no_tls(error, where)
        case aiohttp.ClientHttpProxyError():
            made = _proxy_refuses(error)
        case aiohttp.ClientProxyConnectionError():
            advice = f"correct it, or set NO_PROXY={host_of(where)} to do without"
            made = TransientError("no connection", _in_words(error), sign="absent", advice=advice)
        case aiohttp.ClientConnectorDNSError():
            advice = f"is the host's name right? {_STARTING}"
            made = TransientError("no connection", f"no such host: {error.host}", sign="absent", advice=advice)
        case aiohttp.ConnectionTimeoutError():
            detail = f"{origin_of(where)} does not take connections"
            made = TransientError("no connection", detail, sign="unreachable", advice=_STARTING)
        case TimeoutError():
            advice = "timeout_s of the model gives a slow server longer"
            made = TransientError("timeout", f"no answer within {timeout_s:g} s", sign="silent", advice=advice)
        case aiohttp.ClientConnectorError():
            made = TransientError("no connection", _in_words(error), sign="absent", advice=_STARTING)
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            made = TransientError("cut short", str(error), advice=_https_there(where))
        case aiohttp.ClientResponseError():  # no HTTP at all; its own text would show the request's headers
            detail = f"no HTTP: {error.message}"
            made = TransientError("malformed", detail, sign="strange", advice=_https_there(where))
        case aiohttp.InvalidURL() | UnicodeError():
            made = TransientError("no connection", "the address cannot be read", sign="wrong")
        case _:
            made = TransientError("reset", str(error), advice=_https_there(where))
    return made


def _https_there(where: str) -> str:
    """What a server that is spoken to in plain http by mistake lets one guess."""
    return "does the server expect https there?" if not is_https(where) and not is_loopback(where) else ""


def _no_tls(error: Any, where: str) -> TransientError:
    plain = re.search(r"WRONG_VERSION|record layer|UNKNOWN_PROTOCOL|HTTP_REQUEST|packet length", str(error), re.I)
    advice = ""
    if plain:
        advice = f"does it speak plain http there? then write http{where[5:]}"
        advice += "" if is_loopback(where) else ", without a key"
    return TransientError("no TLS", _reason(error), sign="wrong", advice=advice)


def _proxy_refuses(error: Any) -> TransientError:
    if error.status == 407:
        advice = "write them into its address: http://USER:PASSWORD@HOST:PORT"
        return TransientError("proxy", "a user name and a password are wanted (407)", sign="wrong", advice=advice)
    sign: Sign = "absent" if error.status in (502, 503, 504) else "wrong"
    return TransientError("proxy", f"no way on ({error.status})", sign=sign)


def _reason(error: Any) -> str:
    """The words of OpenSSL without the numbers of its source."""
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    words = getattr(inner, "verify_message", None) or getattr(inner, "reason", None) or str(inner)
    return " ".join(str(words).replace("_", " ").split())[:200]


def _in_words(error: Exception) -> str:
    """What the operating system says, with host and port where aiohttp knows them."""
    number: Any = getattr(getattr(error, "os_error", None), "errno", None)
    host, port = getattr(error, "host", None), getattr(error, "port", None)
    if host is None:
        return str(error)
    known = isinstance(number, int) and number in errno.errorcode
    words = os.strerror(number).lower() if known else str(getattr(error, "os_error", error))
    return f"{words}: {host}:{port}"
