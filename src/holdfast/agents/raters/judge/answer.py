"""From what a judge wrote to scores, or to the reason why there are none. Nothing is guessed, clipped or filled in.

Servers that ignore a JSON schema put fences, greetings, thoughts or full-width digits around or into an answer: that
is read. An answer that is cut off, contradicts itself, leaves the scale or lacks the mark of *this* question is
refused: the mark keeps JSON that the rated reply itself holds from being taken for the judge's.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.agents.message_content import split_thoughts
from holdfast.agents.raters.protocol import Scale
from holdfast.agents.raters.sample import Refusal
from holdfast.core.wording import quote

LONGEST = 20_000  # characters of an answer that are read
MOST_TRIES = 50  # braces that may open no object: each costs a walk through what follows it

_NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d+)?)(?:\s*/\s*(\d+))?")


def find_answer(text: str, mark: str, conversation: str, *, finished: bool = True) -> dict[str, Any] | Refusal:
    """The one JSON object in ``text`` that carries ``mark`` as its id.

    ``conversation``: what was rated, as it was quoted; ``finished``: whether the model stopped by itself.
    """
    text = split_thoughts(text).speech[:LONGEST]
    if not text.strip():
        return Refusal("empty" if finished else "cut_off")
    objects = list(_objects(text)) or list(_objects(_plain(text)))
    answers = [opened for opened in map(_opened, objects) if _mark_of(opened) == mark]
    if answers:
        if any(answer != answers[0] for answer in answers):
            return Refusal("contradictory")
        return answers[0]
    if not finished or (not objects and text.count("{") > text.count("}")):
        return Refusal("cut_off")
    if not objects:
        return Refusal("no_json", quote(text.strip()))
    quoted = [_canonical(each) for each in _told(conversation)]
    copied = any(_canonical(each) in quoted for each in objects)
    return Refusal("copied" if copied else "no_mark")


def read_scores(answer: Mapping[str, Any], scale: Scale) -> dict[str, float] | Refusal:
    """The scores of an answer, by dimension; one that is null is absent. Keys may be spelt with blanks or capitals."""
    values = {_key(name): value for name, value in answer.items()}
    scores: dict[str, float] = {}
    for name in scale.dimensions:
        if name not in values:
            return Refusal("incomplete", f"{name} is absent")
        if values[name] is None:
            continue
        score = read_number(values[name], scale.high)
        if score is None:
            return Refusal("not_a_number", f"{name} is {quote(str(values[name]))}")
        if not scale.low <= score <= scale.high:
            return Refusal("out_of_range", f"{name} is {score:g}, the scale goes from {scale.low:g} to {scale.high:g}")
        scores[name] = score
    return scores or Refusal("not_rated")


def read_number(value: object, high: float) -> float | None:
    """A finite number, or one written as text in any script's digits ("1,5", "4/5" where 5 is ``high``)."""
    if isinstance(value, str):
        match = _NUMBER.fullmatch(_plain(value).strip())
        if not match or (match[2] is not None and float(match[2]) != high):
            return None
        return float(match[1].replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Every outermost JSON object in a text, wherever it stands."""
    decoder = json.JSONDecoder(object_pairs_hook=_once)
    at, tries = text.find("{"), 0
    while at >= 0 and tries < MOST_TRIES:
        try:
            opened, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end, tries = at + 1, tries + 1
        else:
            yield opened
        at = text.find("{", end)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which no key stands twice: which of both would count?"""
    opened = dict(pairs)
    if len(opened) < len(pairs):
        raise ValueError("a key stands twice")
    return opened


def _opened(answer: dict[str, Any]) -> dict[str, Any]:
    """An object whose scores stand one level deeper (``{"id": ..., "scores": {...}}``), made flat."""
    inner = [value for value in answer.values() if isinstance(value, dict)]
    return {**answer, **inner[0]} if len(inner) == 1 else answer


def _mark_of(answer: Mapping[str, Any]) -> str | None:
    return next((str(value).strip() for name, value in answer.items() if _key(name) == "id"), None)


def _told(conversation: str) -> Iterator[dict[str, Any]]:
    """JSON objects inside the messages of a quoted conversation."""
    for line in _objects(conversation):
        yield from _objects(str(line.get("text", "")))


def _canonical(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, sort_keys=True)


def _key(name: str) -> str:
    return re.sub(r"[\s-]+", "_", unicodedata.normalize("NFKC", name).strip().lower())


def _plain(text: str) -> str:
    """Full-width signs as plain ones, and digits of any script as ASCII."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in normal)
