"""The scores of every reply as rows of a table: what ``holdfast measure --scores-out`` writes."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from holdfast.agents.raters.adherence import adherence
from holdfast.agents.raters.protocol import Identified, Scale
from holdfast.simulator.logs.parts import Targets
from holdfast.simulator.logs.rating import RatedTexts
from holdfast.simulator.logs.tallies import RatedConversation
from holdfast.simulator.logs.turns import passage_hashes

ScoreRow = dict[str, Any]

_PLACES = {
    "file": ("string", "the log, as it is shown"),
    "place": ("string", "where the conversation stands in it"),
    "conversation": ("string", "id of the conversation; the second of an id is called id#2"),
    "turn": ("int32", "number of the turn, from 1"),
    "group": ("string", "group, by the columns that were asked for"),
    "speaker": ("string", "who wrote; null where the log does not say"),
}
_REPLY = {
    "reply_words": ("int64", "words of the reply; null where the log does not hold its text"),
    "reply_chars": ("double", "characters of the reply; null where unknown"),
    "passage_sha256": ("string", "SHA-256 of the conversation up to this reply, as holdfast judge writes it"),
    "raters": ("string", "the raters as a JSON object by name: id, version, rubric, scale; the primary one first"),
}


def score_columns(raters: Mapping[str, Identified]) -> dict[str, tuple[str, str]]:
    """Return name -> (Arrow type, meaning) of every column; the first of ``raters`` is the primary one."""
    columns = dict(_PLACES)
    for place, (name, rater) in enumerate(raters.items()):
        scale, before = rater.scale, column_prefix(name, primary=not place)
        bounds = f"{scale.id}, {scale.low:g}-{scale.high:g}"
        for dimension in scale.dimensions:
            meaning = f"by {name}: {bounds}; null if unrated or disqualified"
            columns[f"{before}{dimension}"] = ("double", meaning)
        if not place:
            columns["adherence"] = ("double", "to the pattern, 0-1; 0 if disqualified, null if unrated or without one")
        columns[f"{before}unrated"] = ("string", f"why {name} gave no rating; null where it did")
        columns[f"{before}disqualified"] = ("string", "the failure that the gate saw in the reply; null where none")
    return columns | _REPLY


def column_prefix(name: str, *, primary: bool) -> str:
    """Return what a rater's columns begin with: nothing for the primary one, its name for the others."""
    return "" if primary else f"{name}: "


def raters_cell(raters: Mapping[str, Identified]) -> str:
    """Return the raters as the column ``raters`` tells them."""
    return json.dumps(
        {name: {**asdict(rater.identity), "scale": _scale_cell(rater.scale)} for name, rater in raters.items()},
        ensure_ascii=False,
    )


def _scale_cell(scale: Scale) -> dict[str, Any]:
    bounds = {name: float(getattr(scale, name)) for name in ("low", "high", "step")}
    return {"id": scale.id, "dimensions": scale.dimensions, **bounds}


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """Conversations, and by name of the rater (the primary one first) its scale and what it gave their replies."""

    talks: Sequence[RatedConversation]
    ratings: Mapping[str, tuple[Scale, RatedTexts]]


def score_rows(batch: ScoredBatch, target_of: Targets, raters: str) -> list[ScoreRow]:
    """Return a row for each reply, keys as in :func:`score_columns`. ``raters``: of :func:`raters_cell`."""
    rows = [row for talk in batch.talks for row in _places(talk)]
    for place, (name, (scale, rated)) in enumerate(batch.ratings.items()):
        before = column_prefix(name, primary=not place)
        near = _adherence(batch.talks, scale, rated, target_of) if not place else []
        for index, row in enumerate(rows):
            levels = rated.levels[index].tolist()
            row.update({f"{before}{d}": _known(level) for d, level in zip(scale.dimensions, levels, strict=True)})
            row[f"{before}unrated"] = rated.reasons[index] or None
            row[f"{before}disqualified"] = rated.failures[index]
            if not place:
                row["adherence"] = _known(near[index])
    for row in rows:
        row["raters"] = raters
    return rows


def _places(talk: RatedConversation) -> list[ScoreRow]:
    source = talk.conversation
    about = {"file": source.source, "place": source.place, "conversation": source.id, "group": talk.group}
    shared = {name: storable(text) for name, text in about.items()} | {"speaker": storable(source.speaker) or None}
    return [
        {
            **shared,
            "turn": number,
            "reply_words": len(turn.reply.split()) if turn.reply or not turn.chars else None,
            "reply_chars": _known(turn.chars),
            "passage_sha256": passage,
        }
        for number, (turn, passage) in enumerate(
            zip(talk.turns.turns, passage_hashes(talk.turns), strict=True), start=1
        )
    ]


def storable(text: str) -> str:
    """Return the text with a question mark for what UTF-8 cannot hold, so that every format can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _adherence(talks: Sequence[RatedConversation], scale: Scale, rated: RatedTexts, target_of: Targets) -> list[float]:
    """Return the adherence of each reply; nan where unrated or without a pattern."""
    nothing = [math.nan] * len(scale.dimensions)
    targets = [target_of(talk.conversation) or nothing for talk in talks for _ in talk.turns.turns]
    target = np.array(targets, dtype=np.float64).reshape(-1, len(scale.dimensions))
    stopped = np.array([bool(failure) for failure in rated.failures], dtype=np.bool_)
    near = adherence(rated.levels, target, scale.width, stopped)
    return list(np.where(np.isnan(target).any(axis=-1), np.nan, near).tolist())


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
