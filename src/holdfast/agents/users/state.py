"""A user agent's state: how it begins, and its lossless conversion to and from JSON.

``UserState.extra`` holds four small things, all bounded:

========================  =============================================================================
``told``                  hexadecimal bit mask of the (feeling, topic) pairs said so far
``reply``                 digests of the sentences of the last reply, at most ``reply_cues.MAX_SENTENCES``
``satisfaction``          satisfaction with the last reply, 0-1; absent before the first
``closing``               true once the user says goodbye (see :func:`closing`); absent before
========================  =============================================================================
"""

import math
import random
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from holdfast.agents.users.protocol import Intention, UserState
from holdfast.core.errors import JournalError
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import DESIRED_ON_PERCEIVED_SCALE, Persona

#: Initial emotion, 0-100, as in SAGE (Zhang et al. 2025, "Sentient Agent as a Judge").
START_EMOTION = 40.0

_TUPLES = ("goals_left", "feelings_left", "topics_left")
_STATE_FIELDS = tuple(field.name for field in fields(UserState))
_INTENTION_FIELDS = tuple(field.name for field in fields(Intention))


def begin_state(persona: Persona, seed: int) -> UserState:
    """Return the state before the first message. ``seed`` orders what the persona discloses."""
    rng = random.Random(derive_seed("begin", seed))
    feelings, topics = list(dict.fromkeys(persona.feelings)), list(all_topics(persona))
    rng.shuffle(feelings)
    rng.shuffle(topics)
    return UserState(
        emotion=START_EMOTION,
        momentum=0.0,
        goals_left=tuple(goal.id for goal in persona.goals),
        feelings_left=tuple(feelings),
        topics_left=tuple(topics),
        desired=DESIRED_ON_PERCEIVED_SCALE[persona.desired_empathy],
        felt_mean=math.nan,
    )


def all_topics(persona: Persona) -> tuple[str, ...]:
    """Return all topics of the persona, then those of its goals; each once."""
    return tuple(dict.fromkeys((*persona.topics, *(goal.topic for goal in persona.goals))))


def closing(state: UserState) -> UserState:
    """Return the state with its next message a goodbye."""
    return replace(state, extra={**state.extra, "closing": True})


def state_to_json(state: UserState) -> dict[str, Any]:
    """Return ``state`` as JSON values. ``felt_mean`` is null before the first reply (JSON has no nan).

    Written once a turn, so without the deep copy of ``dataclasses.asdict``: states and what they hold never change.
    """
    raw = {name: getattr(state, name) for name in _STATE_FIELDS}
    raw |= {name: list(raw[name]) for name in _TUPLES}
    raw["extra"] = dict(state.extra)
    if (said := state.last_said) is not None:
        raw["last_said"] = {name: getattr(said, name) for name in _INTENTION_FIELDS}
    if math.isnan(state.felt_mean):
        raw["felt_mean"] = None
    return raw


def state_from_json(raw: Mapping[str, Any]) -> UserState:
    """Undo :func:`state_to_json`.

    Raises:
        JournalError: ``raw`` is no such state.
    """
    try:
        values = dict(raw)
        values |= {name: tuple(values[name]) for name in _TUPLES}
        values["felt_mean"] = math.nan if values["felt_mean"] is None else values["felt_mean"]
        values["last_said"] = None if values["last_said"] is None else Intention(**values["last_said"])
        return UserState(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"a user's state in the journal cannot be read: {type(error).__name__}: {error}") from error
