"""Records <-> rows of the journal. JSON keeps floats exactly (shortest round-trip text), NaN included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from sys import intern
from typing import Any

from holdfast.agents.protocols import Expressed, Intention
from holdfast.simulator.records import EpisodeSpec, TurnRecord

TURN_COLUMNS = (
    "episode", "turn", "user", "said", "reply", "expressed", "felt", "emotion", "state",
    "adapter", "recognised_task", "stop", "prompt_tokens", "completion_tokens",
)  # fmt: skip

#: What measurement reads of a user's state before the last; the rest is there for resuming.
MEASURED_STATE = ("desired",)

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # json.dumps would make one for every call
_SAID = tuple(field.name for field in fields(Intention))


def dumps(value: object) -> str:
    """Compact JSON, keys in the order given."""
    return _ENCODER.encode(value)


def turn_row(record: TurnRecord) -> tuple[Any, ...]:
    """A row in the order of :data:`TURN_COLUMNS`. Its size does not depend on how long the conversation is."""
    said = {name: value for name in _SAID if (value := getattr(record.said, name)) is not None}
    return (
        record.episode_id,
        record.turn,
        record.user,
        dumps(said),
        record.reply,
        dumps(record.expressed.as_array()),
        dumps(dict(record.felt)),
        record.emotion,
        dumps(dict(record.state)),
        record.adapter,
        record.recognised_task,
        record.stop,
        *record.tokens,
    )


def row_turn(row: tuple[Any, ...]) -> TurnRecord:
    """The record of a row of :data:`TURN_COLUMNS`; words that come back often are held once.

    Raises ValueError, TypeError or KeyError where the row is damaged.
    """
    episode, turn, user, said, reply, expressed, felt, emotion, state, adapter, task, stop, prompt, completion = row
    return TurnRecord(
        episode_id=intern(episode),
        turn=turn,
        user=user,
        said=Intention(**json.loads(said)),
        reply=reply,
        expressed=Expressed(*json.loads(expressed)),
        felt={intern(name): value for name, value in json.loads(felt).items()},
        emotion=emotion,
        state=json.loads(state),
        adapter=adapter,
        recognised_task=task,
        stop=stop,
        tokens=(prompt, completion),
    )


def spec_json(spec: EpisodeSpec) -> str:
    """What is needed to make the spec again."""
    return dumps(asdict(spec))


def json_spec(text: str) -> EpisodeSpec:
    """The spec of :func:`spec_json`'s text."""
    fields: Mapping[str, Any] = json.loads(text)
    return EpisodeSpec(**fields)
