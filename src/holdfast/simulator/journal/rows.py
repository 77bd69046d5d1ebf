"""Convert records to rows of the journal and back. JSON keeps floats exactly, NaN included."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from sys import intern
from typing import Any

from holdfast.agents.protocols import Intention
from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.core.text import encodable
from holdfast.simulator.records import EpisodeSpec, TurnRecord

TURN_COLUMNS = (
    "episode", "turn", "user", "said", "reply", "ratings", "felt", "emotion", "state", "goals_served",
    "adapter", "recognised_task", "stop", "prompt_tokens", "completion_tokens", "thoughts", "outcome",
)  # fmt: skip

#: What measurement reads of a user's earlier states; the rest is for resuming.
MEASURED_STATE = ("desired",)
MEASURED_THOUGHTS = 80  # characters: whether there were any

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # json.dumps would make one for every call
_SAID = tuple(field.name for field in fields(Intention))
_RATING = tuple(field.name for field in fields(Rating) if field.name != "samples")
_EMPTY = {name: getattr(Rating(), name) for name in _RATING}


def dumps(value: object) -> str:
    """Return compact JSON, keys in the order given."""
    return _ENCODER.encode(value)


def turn_row(record: TurnRecord) -> tuple[Any, ...]:
    """Return a row in the order of :data:`TURN_COLUMNS`. Its size is independent of the conversation's length."""
    said = {name: value for name in _SAID if (value := getattr(record.said, name)) is not None}
    row = (
        record.episode_id,
        record.turn,
        record.user,
        dumps(said),
        record.reply,
        dumps({name: _rating_json(rating) for name, rating in record.ratings.items()}),
        dumps(dict(record.felt)),
        record.emotion,
        dumps(dict(record.state)),
        dumps(record.goals_served),
        record.adapter,
        record.recognised_task,
        record.stop,
        *record.tokens,
        record.thoughts,
        record.outcome,
    )
    return tuple(encodable(value) if isinstance(value, str) else value for value in row)


def row_turn(row: tuple[Any, ...]) -> TurnRecord:
    """Return the record of a row of :data:`TURN_COLUMNS`; repeated strings are interned.

    Raises:
        ValueError, TypeError, KeyError: the row is damaged.
    """
    episode, turn, user, said, reply, ratings, felt, emotion, state, goals, *rest = row
    adapter, task, stop, prompt, completion, thoughts, outcome = rest
    return TurnRecord(
        episode_id=intern(episode),
        turn=turn,
        user=user,
        said=Intention(**json.loads(said)),
        reply=reply,
        ratings=ratings_of(ratings),
        felt={intern(name): value for name, value in json.loads(felt).items()},
        emotion=emotion,
        state=json.loads(state),
        goals_served=tuple(json.loads(goals)),
        adapter=adapter,
        recognised_task=task,
        stop=stop,
        tokens=(prompt, completion),
        thoughts=thoughts,
        outcome=intern(outcome),
    )


def ratings_of(text: str) -> dict[str, Rating]:
    """Return the ratings of a row; in version 1, a list of three levels by the linear rater."""
    raw = json.loads(text)
    if isinstance(raw, list):
        return {"linear": expressed(*raw)}
    return {intern(name): _rating(fields) for name, fields in raw.items()}


def _rating_json(rating: Rating) -> dict[str, Any]:
    """Return the fields that differ from an empty rating."""
    return {name: value for name in _RATING if (value := getattr(rating, name)) != _EMPTY[name]}


def _rating(raw: Mapping[str, Any]) -> Rating:
    given = dict(raw)
    values = {intern(name): value for name, value in given.pop("values", {}).items()}
    if "tokens" in given:
        given["tokens"] = tuple(given["tokens"])
    return Rating(values, **given)


def spec_json(spec: EpisodeSpec) -> str:
    """Return a spec as JSON; the journal calls its replicate ``seed``."""
    return dumps({("seed" if name == "replicate" else name): value for name, value in asdict(spec).items()})


def json_spec(text: str) -> EpisodeSpec:
    """Return the spec from :func:`spec_json`'s text."""
    fields: dict[str, Any] = json.loads(text)
    return EpisodeSpec(replicate=fields.pop("seed"), **fields)
