"""What aiohttp raises where no response came, as failures in plain words that say what to do."""

import re
import ssl
from typing import Any

from holdfast.agents.models.addresses import host_of, is_loopback
from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.served.failures import TransientError
from holdfast.agents.models.served.network import Proxy

_STARTING = "is the server running there? one that is still starting is waited for with --wait-for-endpoint SECONDS"
_CERTIFICATE = "if it is a server of your own, set SSL_CERT_FILE (or REQUESTS_CA_BUNDLE) to the file with the certificate of its CA"


def connection_failure(
    error: Exception, where: str, timeout_s: float, proxy: Proxy | None, key: ApiKey
) -> TransientError:
    """Return what ``error`` means, met on the way to ``where``."""
    import aiohttp

    said = key.clean(_without_prefix(str(error)))
    through = f" through {proxy.in_words}" if proxy is not None else ""
    match error:
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return TransientError("certificate", f"{_reason(error)}{through}", sign="wrong", advice=_CERTIFICATE)
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return _no_tls(error, where, through)
        case aiohttp.ClientHttpProxyError():
            return _proxy_refuses(error, proxy)
        case aiohttp.ClientProxyConnectionError():
            advice = f"correct it, or set NO_PROXY={host_of(where)} to do without"
            return TransientError("no connection", f"{said}{through}", sign="absent", advice=advice)
        case aiohttp.ClientConnectorDNSError():
            advice = f"is the host's name right? {_STARTING}"
            return TransientError("no connection", f"no such host: {said}{through}", sign="absent", advice=advice)
        case aiohttp.ConnectionTimeoutError():
            detail = f"{host_of(where)} does not take connections{through}"
            return TransientError("no connection", detail, sign="absent", advice=_STARTING)
        case TimeoutError():
            return TransientError("timeout", f"no answer within {timeout_s:g} s{through}")
        case aiohttp.ClientConnectorError():
            return TransientError("no connection", f"{said}{through}", sign="absent", advice=_STARTING)
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            return TransientError("cut short", f"{said}{through}")
        case aiohttp.ClientResponseError():  # no HTTP at all; its own text would show the request's headers
            message = key.clean(error.message)
            advice = "does the server expect https there?" if where.startswith("http:") else ""
            return TransientError("malformed", f"no HTTP: {message}{through}", sign="strange", advice=advice)
        case aiohttp.InvalidURL():
            return TransientError("no connection", "the address cannot be read", sign="wrong")
    return TransientError("reset", f"{said}{through}")


def _no_tls(error: Any, where: str, through: str) -> TransientError:
    plain = re.search(r"WRONG_VERSION|record layer|UNKNOWN_PROTOCOL|HTTP_REQUEST|packet length", str(error), re.I)
    advice = ""
    if plain:
        advice = f"does it speak plain http there? then write {where.replace('https:', 'http:', 1)}"
        advice += "" if is_loopback(where) else ", without a key"
    return TransientError("no TLS", f"{_reason(error)}{through}", sign="wrong", advice=advice)


def _proxy_refuses(error: Any, proxy: Proxy | None) -> TransientError:
    named = proxy.in_words if proxy is not None else "the proxy"
    if error.status == 407:
        detail = f"{named} wants a user name and a password (407)"
        return TransientError(
            "proxy", detail, sign="wrong", advice="write them into its address: http://USER:PASSWORD@…"
        )
    sign = "absent" if error.status in (502, 503, 504) else "wrong"
    return TransientError("proxy", f"{named} refuses to connect ({error.status})", sign=sign)


def _reason(error: Any) -> str:
    """The words of OpenSSL without the numbers of its source."""
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    words = getattr(inner, "verify_message", None) or getattr(inner, "reason", None) or str(inner)
    return " ".join(str(words).replace("_", " ").split())[:200]


def _without_prefix(text: str) -> str:
    return text.removeprefix("Cannot connect to host ").replace(" ssl:default", "")
