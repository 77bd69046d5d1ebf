"""The order in which feelings and topics come up: all once in a seeded order, then all again in another.

They wait in two queues of the state (``feelings_left``, ``topics_left``), filled again when empty. Pairs of feeling and
topic that were not said before (a bit mask, ``extra["told"]``) are preferred.
"""

import random
from dataclasses import replace

from holdfast.agents.users.protocol import UserState
from holdfast.agents.users.state import all_topics
from holdfast.personas.schema import Persona


def next_feeling(persona: Persona, state: UserState, rng: random.Random) -> tuple[str, UserState]:
    """Return the next feeling, other than the last message's where the persona has two, and the state without it."""
    last = state.last_said.feeling if state.last_said else None
    queue = _filled(state.feelings_left, persona.feelings, rng)
    feeling = next((item for item in queue if item != last), None)
    if feeling is None:  # only the last one is left in this round
        feeling = next((item for item in _filled((), persona.feelings, rng) if item != last), queue[0])
    return feeling, replace(state, feelings_left=_without(queue, feeling))


def next_topic(persona: Persona, state: UserState, rng: random.Random) -> tuple[str, UserState]:
    """Return the next topic, other than the last message's where the persona has two, and the state without it."""
    queue = _topics(persona, state, rng)
    topic = next((item for item in queue if item != _last_topic(state)), queue[0])
    return topic, replace(state, topics_left=_without(queue, topic))


def feeling_with_topic(persona: Persona, state: UserState, rng: random.Random) -> tuple[str, str, UserState]:
    """Return the next feeling, a topic that it was not yet combined with, and the state after saying so.

    The first such topic in the queue is taken, or the queue's head where there is none. When every pair has been said,
    all count as new again.
    """
    feeling, state = next_feeling(persona, state, rng)
    feelings, topics = tuple(dict.fromkeys(persona.feelings)), all_topics(persona)
    mentioned = int(state.extra.get("told", "0"), 16)
    if mentioned == (1 << len(feelings) * len(topics)) - 1:
        mentioned = 0
    queue = _topics(persona, state, rng)
    usable = [item for item in queue if item != _last_topic(state)] or list(queue)
    row = feelings.index(feeling) * len(topics)
    topic = next((item for item in usable if not mentioned >> row + topics.index(item) & 1), usable[0])
    mentioned |= 1 << row + topics.index(topic)
    extra = {**state.extra, "told": f"{mentioned:x}"}
    return feeling, topic, replace(state, topics_left=_without(queue, topic), extra=extra)


def _topics(persona: Persona, state: UserState, rng: random.Random) -> tuple[str, ...]:
    """Return the queue of topics, refilled where it holds nothing but the last one."""
    last = _last_topic(state)
    left = tuple(item for item in state.topics_left if item != last)
    return state.topics_left if left else _filled((), all_topics(persona), rng)


def _last_topic(state: UserState) -> str | None:
    return state.last_said.topic if state.last_said else None


def _filled(queue: tuple[str, ...], everything: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    if queue:
        return queue
    again = list(dict.fromkeys(everything))
    rng.shuffle(again)
    return tuple(again)


def _without(queue: tuple[str, ...], taken: str) -> tuple[str, ...]:
    return tuple(item for item in queue if item != taken)
