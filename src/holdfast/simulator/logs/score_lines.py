"""A row of a file of scores -> the scores in it, whichever command wrote it."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from holdfast.agents.raters.protocol import SCALES, Failure, RaterIdentity, Rating, Scale
from holdfast.core.errors import InputError
from holdfast.core.reading.tables import Row
from holdfast.core.wording import quote
from holdfast.simulator.judging.lines import RatedLine, to_rating
from holdfast.simulator.logs.scores import column_prefix

MOST_RATERS = 32
_WHAT = "holdfast judge --out or holdfast measure --scores-out writes"


@dataclass(frozen=True, slots=True)
class StoredScore:
    """One reply's score by one rater. ``scale``: where the file says it; ``place``: in the file."""

    place: str
    rater: str
    identity: RaterIdentity
    scale: Scale | None
    conversation: str
    turn: int
    passage_sha256: str
    rating: Rating


class _ScaleCell(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    dimensions: tuple[str, ...]
    low: float
    high: float
    step: float = 1.0


class _RaterCell(BaseModel):
    """A rater as the column ``raters`` tells it."""

    model_config = ConfigDict(extra="ignore")
    id: str
    version: str
    prompt_sha256: str | None = None
    scale: _ScaleCell


def scores_in_row(row: Row) -> Iterator[StoredScore]:
    """Yield the scores of a row: one of ``holdfast judge``, one a rater of ``holdfast measure``.

    Raises:
        InputError: the row is of neither.
    """
    place, cells = row
    try:
        if "raters" in cells:
            yield from _of_measure(place, cells)
        else:
            yield _of_judge(place, RatedLine.model_validate(cells))
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{place}: is no row that {_WHAT} ({_why(error)})") from None


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"no column {error}" if isinstance(error, KeyError) else str(error)


def _of_judge(place: str, line: RatedLine) -> StoredScore:
    if line.whole:
        raise InputError(f"{place}: rates a whole conversation, and no reply; run holdfast judge without --whole")
    identity = RaterIdentity(line.rater.id, line.rater.version, line.rater.prompt_sha256)
    rating = to_rating(line)
    kept = Rating(rating.values, rating.missing, disqualified=rating.disqualified)
    return StoredScore(place, line.rater.name, identity, None, line.conversation, line.turn, line.passage_sha256, kept)


def _of_measure(place: str, cells: Mapping[str, Any]) -> Iterator[StoredScore]:
    raters = json.loads(cells["raters"])
    if not isinstance(raters, dict) or not 0 < len(raters) <= MOST_RATERS:
        raise ValueError(f"raters: expected a JSON object of 1 to {MOST_RATERS} raters")
    for number, (name, told_of) in enumerate(raters.items()):
        about, before = _RaterCell.model_validate(told_of), column_prefix(name, primary=not number)
        scale = Scale(**about.scale.model_dump())
        values = {
            dimension: float(cell)
            for dimension in scale.dimensions
            if (cell := _cell(cells, before + dimension)) is not None
        }
        failure = _cell(cells, f"{before}disqualified")
        if failure is not None and failure not in get_args(Failure):
            raise ValueError(f"{before}disqualified: unknown failure {quote(str(failure))}")
        missing = _cell(cells, f"{before}unrated")
        if not values and missing is None and failure is None:
            missing = "no score"
        identity = RaterIdentity(about.id, about.version, about.prompt_sha256)
        rating = Rating(values, None if missing is None else str(missing), disqualified=failure)
        turn, passage = int(cells["turn"]), str(cells["passage_sha256"])
        yield StoredScore(place, name, identity, scale, str(cells["conversation"]), turn, passage, rating)


def _cell(cells: Mapping[str, Any], name: str) -> Any:
    """Return the value, None for null and for an empty cell of a CSV. Raises KeyError without such a column."""
    return None if cells[name] in (None, "") else cells[name]


def scale_of(scores: Sequence[StoredScore]) -> Scale | None:
    """Return the scale of a rater's scores: the one that the file names, or that has their dimensions; None of none.

    Raises:
        InputError: no scale has these dimensions, or they are no numbers.
    """
    named = next((score.scale for score in scores if score.scale is not None), None)
    dimensions: dict[str, str] = {}
    for score in scores:
        for dimension, value in score.rating.values.items():
            dimensions.setdefault(dimension, score.place)
            if not math.isfinite(value):
                raise InputError(f"{score.place}: {dimension} is no number")
    if not dimensions:
        return named
    scale = named or next((each for each in SCALES.values() if dimensions.keys() <= set(each.dimensions)), None)
    if scale is None:
        name, place = next(iter(dimensions.items()))
        raise InputError(f"{place}: {quote(name)} and the other dimensions are of none of {', '.join(SCALES)}")
    return scale
