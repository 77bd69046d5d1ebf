"""What a response that is no answer means, in words: an error status, a redirect, an error or a page inside a 200."""

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

from holdfast.agents.models.addresses import has_version, with_version
from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.served.failures import EndpointError, TransientError

_AGAIN = frozenset((408, 409, 425, 429))
_BARRING = frozenset((401, 402, 403, 404, 405, 407, 410))
_LONGEST_WAIT_S = 1e6
_READ = 100_000  # characters of an error that are looked at
_TOO_LONG = re.compile(
    r"context[ _-]?(length|window|size)|maximum.{0,20}length|too many tokens|prompt is too long", re.I
)
_OF_MODEL = re.compile(r"model|deployment|adapter|lora|engine", re.I)
_OF_ADDRESS = re.compile(r"chat/completions|^\W*(404\W*)?(page|path|url|resource|route)?\W*not found\W*$", re.I)
_NOT_TAKEN = re.compile(
    r"unsupported|not (be )?support|not permitted|unrecognized|unknown|unexpected|extra_forbidden|not allowed", re.I
)
_NAMED = re.compile(r"""(?:"loc": \["body", "|['"`\u2018])([a-z_]+)['"`\u2019]""")
LENGTH = "max_completion_tokens"  # what OpenAI's newer models call max_tokens
#: Fields that a request can do without.
OPTIONAL = frozenset(("max_tokens", "temperature", "top_p", "seed", "response_format"))
_TELLING = ("errors", "message", "detail", "msg")
#: Words in an error's code or type, and the status that stands for them.
_STATUS_OF = (
    (r"insufficient_quota|quota", 429),
    (r"rate.?limit|too.?many|throttl", 429),
    (r"authenti|unauthor|api.?key|credential", 401),
    (r"permission|forbidden|denied", 403),
    (r"billing|payment|balance|credit", 402),
    (r"not.?found|not.?exist|unknown.?model", 404),
    (r"context.?length|too.?long|invalid|bad.?request|validation|content.?filter|unsupported", 400),
    (r"overload|unavailable|capacity|loading|bad.?gateway|upstream|provider", 503),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a request went, for messages: the endpoint's URL, the model's name there, the key, and ``what`` it is.

    ``model`` None: an application of the user's, which has no name but its address, ``what`` below ``where``.
    """

    where: str
    model: str | None
    key: ApiKey
    what: str = "chat completions"


def refusal(status: int, headers: Mapping[str, str], body: bytes, asked: Asked) -> TransientError | EndpointError:
    """Return what a response with an error status means."""
    said = _words(body)
    return _meaning(status, headers, said, asked, _fits_quota(body))


def redirect(status: int, to: str, asked: Asked) -> EndpointError:
    """Return the error that names the new address ``to`` of an endpoint that has moved."""
    login = re.search(r"log-?in|sign-?in|sso|oauth|auth|saml", to, re.I)
    short = to.removesuffix("/chat/completions")
    if not to:
        way = "and names no address that could be one"
    elif short == asked.where:
        way = "in circles: is base_url right?"
    elif login:
        way = f"to {to}, which looks like a page to log in: it is no open endpoint, or a portal stands in between"
    elif to.endswith("/chat/completions"):
        way = f"to {to}, which is not followed; if that is right, write base_url: {short}"
    else:
        way = f"to {to}, which is not followed: is base_url right?"
    return EndpointError(f"{asked.where} redirects ({status}) {way}", str(status), barring=True)


def no_answer(body: bytes, headers: Mapping[str, str], asked: Asked) -> TransientError | EndpointError | None:
    """Return what the body of a 200 means that is no chat completion; None where it may be one.

    Raises nothing: a body of an unknown shape is for the reader of answers to judge.
    """
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return _page(body, asked)
    if not start.startswith((b"{", b"[")):
        return TransientError("malformed", _no_json(start, asked), sign="strange")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    problem = _problem(value)
    return None if problem is None else _inside(problem, value, body, headers, asked)


def _inside(
    problem: Any, value: dict[str, Any], body: bytes, headers: Mapping[str, str], asked: Asked
) -> TransientError | EndpointError:
    """What an error inside a 200 means: what it would mean with the status that its code stands for."""
    status, code = _status(problem, value)
    words = _text_of(problem)
    said = asked.key.clean(words)
    error = _meaning(status, headers, words, asked, _fits_quota(body[:_READ]))
    if isinstance(error, TransientError):
        return replace(error, detail=f"an error in a 200: {said}")
    message = f"{asked.where} answers 200 with an error ({code or 'without a code'}): {said}"
    return EndpointError(message, error.cause, barring=error.barring, field=error.field, instead=error.instead)


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return the seconds that a response asks everybody to wait (RFC 9110, 10.2.3); None where it does not.

    A date is read against the server's own clock where the response shows it. ``now``: seconds since the epoch, used
    where it does not; the clock's by default.
    """
    wait = _seconds(headers.get("retry-after-ms"))  # OpenAI's and Azure's
    if wait is not None:
        return min(wait / 1000, _LONGEST_WAIT_S)
    value = headers.get("Retry-After")
    wait = _seconds(value)
    if wait is None and value is not None and (until := _date(value)) is not None:
        sent = _date(headers.get("Date", ""))
        wait = max(0.0, until - (sent if sent is not None else time.time() if now is None else now))
    return None if wait is None else min(wait, _LONGEST_WAIT_S)


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def _date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _meaning(
    status: int, headers: Mapping[str, str], words: str, asked: Asked, quota: bool
) -> TransientError | EndpointError:
    said = asked.key.clean(words)
    if status == 429 and quota:
        message = f"{asked.where} says that the quota is spent (429){f': {said}' if said else ''}"
        return EndpointError(message, "429", barring=True)
    if status in _AGAIN or status >= 500:
        return TransientError(str(status), said, retry_after(headers), "busy" if status == 429 else "outage")
    field = _field_not_taken(words) if status not in _BARRING else None
    instead = LENGTH if field == "max_tokens" and LENGTH in words else None
    message = _refusal_in_words(status, words, f": {said}" if said else "", asked)
    if field:
        message += f"; to leave that field out, write extra: {{{field}: null}}"
    return EndpointError(message, str(status), barring=status in _BARRING, field=field, instead=instead)


def _refusal_in_words(status: int, words: str, details: str, asked: Asked) -> str:
    where, model, variable = asked.where, asked.what if asked.model is None else asked.model, asked.key.variable
    if status in (401, 403):
        source = f"the key in {variable}" if variable else "the request, which came without a key"
        way = "" if variable else "; name the variable that holds one with 'api_key_env'"
        message = f"{where} refuses {source} ({status}){details}{way}"
    elif status in (404, 405, 410) and asked.model is None:
        message = f"nothing at {where}/{asked.what} answers ({status}){details}; is the app's url right?"
    elif status in (404, 405, 410) and not (_OF_MODEL.search(words) and not _OF_ADDRESS.search(words)):
        hint = "is base_url right?" if has_version(where) else f"did you mean base_url: {with_version(where)} ?"
        message = f"{where} has no {asked.what} ({status}{details}); {hint}"
    elif status in (404, 405, 410):
        message = f"{where} does not know the model {model!r} ({status}){details}"
    elif status == 407:
        message = f"the proxy on the way to {where} wants a user name and a password (407){details}"
    elif _TOO_LONG.search(words):
        message = f"the conversation is longer than {model} at {where} reads ({status}){details}"
    else:
        message = f"{where} refuses the request to {model} ({status}){details}"
    return message


def _field_not_taken(words: str) -> str | None:
    """The field of our request that an error says is not taken there (not: whose value is out of range)."""
    if not _NOT_TAKEN.search(words[:_READ]):
        return None
    return next((name for name in _NAMED.findall(words[:_READ]) if name in OPTIONAL), None)


def _page(body: bytes, asked: Asked) -> TransientError:
    text = body[:_READ].decode("utf-8", "replace")
    title = re.search(r"<title[^>]{0,200}>([^<]{0,200})", text, re.I)
    named = asked.key.clean((title[1] if title else _without_tags(text)).strip(), 80)
    advice = "is it a page to log in, or is base_url wrong?"
    if not has_version(asked.where):
        advice = f"is it a page to log in? did you mean base_url: {with_version(asked.where)} ?"
    return TransientError("malformed", f"a web page instead of an answer: {named}", sign="strange", advice=advice)


def _no_json(start: bytes, asked: Asked) -> str:
    if not start:
        return "an empty answer"
    if start.startswith((b"data:", b"event:", b": ")):
        return "a stream of events, which was not asked for"
    return f"text instead of JSON: {asked.key.clean(start.decode('utf-8', 'replace'), 80)}"


def _words(body: bytes) -> str:
    """The words of an error body: OpenAI's, vLLM's, FastAPI's, or whatever stands there."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return _without_tags(body[:_READ].decode("utf-8", "replace"))
    return _text_of(value)


def _text_of(value: Any) -> str:
    for field in ("error", "errors", "message", "detail", "msg", "status_msg"):
        if isinstance(value, dict) and value.get(field):
            value = value[field]
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and "message" in value[0]:
            value = value[0]
    return value[:_READ] if isinstance(value, str) else json.dumps(value)[:_READ]


def _without_tags(text: str) -> str:
    return re.sub(r"<[^<>]{0,2000}>", " ", text)


def _fits_quota(body: bytes) -> bool:
    return b"insufficient_quota" in body


def _problem(value: Any) -> Any:
    """The part of a JSON document that tells of an error; None where none does."""
    if not isinstance(value, dict):
        return None
    base = value.get("base_resp")  # MiniMax's
    if isinstance(base, dict) and base.get("status_code"):
        return base
    choices = value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if value.get("error"):
        return value["error"] if not isinstance(value["error"], bool) else value
    if isinstance(first, dict):
        return first["error"] if first.get("error") else None  # OpenRouter's
    tells = any(isinstance(value.get(field), str | list) and value[field] for field in _TELLING)
    if not tells or choices:
        return None
    errors = value.get("errors")  # Cloudflare's
    return errors[0] if isinstance(errors, list) and errors else value


def _status(problem: Any, value: dict[str, Any]) -> tuple[int, str]:
    """The HTTP status that the error stands for, and its code as the server wrote it; 500 where nothing tells."""
    parts = [part for part in (problem, value) if isinstance(part, dict)]
    named = [part.get(field) for part in parts for field in ("code", "status", "status_code", "type", "statusCode")]
    codes = [code for code in named if isinstance(code, int | str) and not isinstance(code, bool) and code != ""]
    for code in codes:
        if str(code).isdecimal() and 400 <= int(str(code)[:6]) < 600:
            return int(code), str(code)
    text = " ".join(str(code)[:200] for code in codes)
    first = str(codes[0])[:60] if codes else ""
    for words in (text, _text_of(problem)[:1000]):
        for pattern, status in _STATUS_OF:
            if re.search(pattern, words, re.I):
                return status, first
    return 500, first
