"""Parsing a model's judgement of one reply.

The answer is one JSON object: SAGE's inner thought and change of emotion, SENSE-7's seven dimensions, what became of
the goal, and whether the user leaves. Prose, code fences and a missing end are tolerated. An object quoted from the
*judged reply* does not count: the object must carry this turn's ``id``, which the assistant has never seen.
"""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from holdfast.agents.protocols import SENSE7

#: Characters of an answer that are read and opening braces that are tried; the same for truncated objects, which take
#: time quadratic in their length to complete.
MOST_CHARACTERS, MOST_OBJECTS = 8000, 16
MOST_BROKEN_CHARACTERS, MOST_BROKEN_OBJECTS = 3000, 2


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a number, not true or false")
    return value


Number = BeforeValidator(_no_boolean)
Score = Annotated[float, Number, Field(ge=1, le=5, allow_inf_nan=False)]


class Dimensions(BaseModel):
    """SENSE-7's dimensions, 1-5 each; further keys are ignored."""

    model_config = ConfigDict(frozen=True)

    affective_understanding: Score
    cognitive_understanding: Score
    response_appropriateness: Score
    prosocial_expression: Score
    interest: Score
    contextual_understanding: Score
    relational_continuity: Score


class Monologue(BaseModel):
    """The user's inner monologue on a reply. Numbers may come as text ("4"), but never outside their range."""

    model_config = ConfigDict(frozen=True)

    thought: str
    emotion_change: Annotated[float, Number, Field(ge=-10, le=10, allow_inf_nan=False)]
    felt: Dimensions
    goal: Literal["none", "some", "done"]
    leave: bool

    @property
    def dimensions(self) -> dict[str, float]:
        """The dimensions in the order of ``SENSE7``."""
        return {name: getattr(self.felt, name) for name in SENSE7}


def read_monologue(text: str, id: str) -> Monologue | str:
    """Return the judgement in ``text``, or a message why there is none. ``id``: the required value of "id"."""
    objects = [item for item in _objects(text[:MOST_CHARACTERS]) if item.get("id") == id]
    if not objects:
        return 'it holds no JSON object with the "id" that was asked for'
    try:
        return Monologue.model_validate(objects[-1])  # a later object corrects an earlier one
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f'"{place}": {first["msg"][:120]}'


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield every outermost JSON object of ``text``, in order; a truncated one is completed where that is safe."""
    decoder = json.JSONDecoder(strict=False)
    start, broken = text.find("{"), 0
    for _ in range(MOST_OBJECTS):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            value, end = None, start + 1
            if broken < MOST_BROKEN_OBJECTS and re.match(r'\{\s*"', text[start:]):
                value, broken = _closed(text[start : start + MOST_BROKEN_CHARACTERS]), broken + 1
        if isinstance(value, dict):
            yield value
        start = text.find("{", end)


def _closed(text: str) -> object:
    """Return a truncated object as far as it goes; None where nothing can be made of it.

    A text that ends within a number is not completed: the number is unknown.
    """
    from langchain_core.utils.json import parse_partial_json

    text = re.sub(r"\s*`{3,}\s*$", "", text).rstrip()
    if re.search(r"[\d.+-]$", text):
        return None
    try:
        return parse_partial_json(text)
    except (ValueError, RecursionError):
        return None
