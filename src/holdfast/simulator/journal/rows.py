"""Convert records to rows of the journal and back. JSON keeps floats exactly, NaN included."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from sys import intern
from typing import Any, cast

from holdfast.agents.protocols import Outcome
from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.protocol import Intention
from holdfast.core.text import encodable
from holdfast.simulator.records import EpisodeSpec, TurnRecord

TURN_COLUMNS = (
    "episode", "turn", "user", "said", "reply", "ratings", "felt", "emotion", "state", "goals_served",
    "adapter", "recognised_task", "stop", "prompt_tokens", "completion_tokens", "thoughts", "outcome", "calls", "kept",
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
        float(record.emotion),
        dumps(dict(record.state)),
        dumps(record.goals_served),
        record.adapter,
        record.recognised_task,
        record.stop,
        *map(int, record.tokens),
        record.thoughts,
        record.outcome,
        record.calls,
        record.kept,
    )
    return tuple(encodable(value) if isinstance(value, str) else value for value in row)


def row_turn(row: tuple[Any, ...]) -> TurnRecord:
    """Return the record of a row of :data:`TURN_COLUMNS`; repeated strings are interned.

    Raises:
        ValueError, TypeError, KeyError: the row is damaged.
    """
    episode, turn, user, said, reply, ratings, felt, emotion, state, goals, *rest = row
    adapter, task, stop, prompt, completion, thoughts, outcome, calls, kept = rest
    for value, kind in (
        (turn, int),
        (user, str),
        (reply, str),
        (prompt, int),
        (completion, int),
        (thoughts, str),
        (outcome, str),
        (calls, int),
        (kept, str),
    ):
        _require(value, kind)
    return TurnRecord(
        episode_id=intern(episode),
        turn=turn,
        user=user,
        said=Intention(**json.loads(said)),
        reply=reply,
        ratings=ratings_of(ratings),
        felt={intern(name): _require(value, float, int) for name, value in json.loads(felt).items()},
        emotion=_require(emotion, float, int),
        state=_require(json.loads(state), dict),
        goals_served=tuple(_require(goal, str) for goal in _require(json.loads(goals), list)),
        adapter=adapter,
        recognised_task=task,
        stop=stop,
        tokens=(prompt, completion),
        thoughts=thoughts,
        outcome=cast(Outcome, intern(outcome)),
        calls=calls,
        kept=kept,
    )


def only_measured(turn: TurnRecord) -> TurnRecord:
    """Return the turn with as much of the user's state, of thoughts and of what was kept, as measurement reads."""
    state = {field: turn.state.get(field) for field in MEASURED_STATE}
    return replace(turn, state=state, thoughts=turn.thoughts[:MEASURED_THOUGHTS], kept=turn.kept[:MEASURED_THOUGHTS])


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
    values = {intern(name): _require(value, float, int) for name, value in given.pop("values", {}).items()}
    if "tokens" in given:
        given["tokens"] = tuple(given["tokens"])
    return Rating(values, **given)


def spec_json(spec: EpisodeSpec) -> str:
    """Return a spec as JSON; the journal calls its replicate ``seed``."""
    return dumps({("seed" if name == "replicate" else name): value for name, value in asdict(spec).items()})


def json_spec(text: str) -> EpisodeSpec:
    """Return the spec from :func:`spec_json`'s text. Raises as :func:`row_turn` does."""
    given: dict[str, Any] = json.loads(text)
    spec = EpisodeSpec(replicate=given.pop("seed"), **given)
    for field in fields(EpisodeSpec):
        _require(getattr(spec, field.name), int if field.type in (int, "int") else str)
    return spec


def _require(value: Any, *kinds: type) -> Any:
    """Return the value, which must be of one of the kinds exactly: true is no number."""
    if type(value) not in kinds:
        raise TypeError(f"{value!r:.80} where {' or '.join(kind.__name__ for kind in kinds)} belongs")
    return value
