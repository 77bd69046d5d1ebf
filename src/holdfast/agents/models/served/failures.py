"""What an endpoint's refusals and silences mean: worth another try, or not."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from holdfast.agents.models.keys import ApiKey
from holdfast.core.errors import ModelError

#: What servers say to a request whose JSON schema they do not know.
NO_SCHEMA = frozenset(("400", "404", "415", "422", "500", "501"))
_AGAIN = frozenset((408, 409, 425, 429))
_TOO_LONG = re.compile(
    r"context[ _-]?(length|window|size)|maximum.{0,20}length|too many tokens|prompt is too long", re.I
)


class EndpointError(ModelError):
    """A service refused a request for good, or did not answer. ``cause``: an HTTP status, or the kind of failure."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message, cause)
        self.cause = cause

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(eq=False)
class TransientError(Exception):
    """A failure that another try may mend. ``cause``: its kind in a word or two, as tables count it.

    ``wait_s``: how long the server asks everybody to wait.
    """

    cause: str
    detail: str = ""
    wait_s: float | None = None

    def __str__(self) -> str:
        return f"{self.cause} ({self.detail})" if self.detail else self.cause


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, where: str, model: str, key: ApiKey
) -> TransientError | EndpointError:
    """What a response other than 200 means, in words; ``where``: the endpoint's URL."""
    said = key.clean(_message(body))
    if status == 429 and b"insufficient_quota" in body:
        return EndpointError(f"{where} says that the quota is spent (429): {said}", "429")
    if status in _AGAIN or status >= 500:
        return TransientError(str(status), said, retry_after(headers.get("Retry-After")))
    details = f": {said}" if said else ""
    if status in (401, 403):
        source = f"the key in {key.variable}" if key.variable else "the request, which came without a key"
        way = "" if key.variable else "; name the variable that holds one with 'api_key_env'"
        return EndpointError(f"{where} refuses {source} ({status}){details}{way}", str(status))
    if status == 404:
        return EndpointError(f"{where} does not know the model {model!r} (404){details}", "404")
    if _TOO_LONG.search(said):
        longer = f"the conversation is longer than {model} at {where} reads ({status}){details}"
        return EndpointError(longer, str(status))
    return EndpointError(f"{where} refuses the request to {model} ({status}){details}", str(status))


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (RFC 9110, 10.2.3: seconds or an HTTP date); None without one.

    ``now``: seconds since the epoch, the clock's by default.
    """
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, until - (time.time() if now is None else now))


def _message(body: bytes) -> str:
    """The words of an error body: OpenAI's, vLLM's, FastAPI's, or whatever stands there."""
    try:
        value = json.loads(body)
    except ValueError:
        return re.sub(r"<[^>]*>", " ", body.decode("utf-8", "replace"))
    for field in ("error", "message", "detail"):
        if isinstance(value, dict) and field in value:
            value = value[field]
    return value if isinstance(value, str) else json.dumps(value)
