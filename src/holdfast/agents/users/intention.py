"""What a user says next, as a function of persona, state and seed that does not read the number of turns.

Every message has a *cue*: a feeling, or a practical matter. The next cue depends on the persona, the cue before and the
seed, never on the replies, so the mix of cues is the same early and late and for every candidate. A style that only
follows the cue can then be distinguished from one that holds. Replies decide the rest: an ignored user repeats, a
satisfied one gives thanks, a served goal makes room for the next.
"""

import random
from dataclasses import replace

from holdfast.agents.users.disclosure import feeling_with_topic, next_feeling, next_topic
from holdfast.agents.users.protocol import Intention, UserState
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Goal, Persona

#: By which share the probability of the last cue is reduced.
ALTERNATION = 0.3
#: Chance to repeat an ignored message of the same cue, at most :data:`MAX_REPEATS` times in a row.
REPEAT = 0.6
MAX_REPEATS = 2
#: Chance of thanks after a reply of at least this satisfaction, at full warmth.
THANK = 0.2
CONTENT = 0.75
#: Chance that a message tells news instead of stating a feeling or asking.
TELL = 0.12
#: Chance that a feeling is stated without its topic, and a question asked without a need ("What next with ...?").
FEELING_ONLY = 0.12
TOPIC_ONLY = 0.2
#: Share of the questions with a need that keep the goal's own topic; the others combine a known need with another one.
#: The former are about open goals, or about met ones when none is left, so that both forms keep their shares.
OWN_TOPIC = 0.7


def next_intention(persona: Persona, state: UserState, seed: int) -> tuple[Intention, UserState]:
    """Return the intention of the next message, and the state after it.

    Before the first reply the kind is "open"; once ``closing`` is set in ``state.extra``, "close". ``state.turns`` is
    not read.
    """
    # All draws are made up front, so that a seed means the same in every state.
    rng = random.Random(derive_seed("intention", seed))
    cue, thank, again, tell, detail = (rng.random() for _ in range(5))
    feels = cue < feeling_chance(persona, state.last_said)
    last = state.last_said
    if state.extra.get("closing"):
        return _saying(state, Intention("close"))
    if last is None:
        return _open(persona, state, feels, rng)
    content = state.extra.get("satisfaction", 0.0) >= CONTENT
    if content and last.kind != "thank" and thank < THANK * persona.temperament.warmth:
        return _saying(state, Intention("thank", topic=last.topic))
    if 1 <= state.ignored <= MAX_REPEATS and feels == has_feeling(last) and again < REPEAT:
        return _saying(state, replace(last, kind="repeat"))
    speak_of = _feeling if feels else _matter
    return speak_of(persona, state, tell < TELL, detail, rng)


def feeling_chance(persona: Persona, last: Intention | None) -> float:
    """Return the probability that the next message states a feeling.

    ``p = 0.42 + 0.16 reactivity`` on average. After a feeling it is ``p - d (1 - p)`` and after a practical matter
    ``p + d p`` with ``d`` = :data:`ALTERNATION`: messages alternate a little, and p is the stationary share, which the
    first message has too, so there is no trend over turns.
    """
    share = 0.42 + 0.16 * persona.temperament.reactivity
    if last is None or last.kind == "thank":
        return share
    return share - ALTERNATION * (1.0 - share) if has_feeling(last) else share + ALTERNATION * share


def has_feeling(said: Intention) -> bool:
    """Return whether the message's cue is a feeling rather than a practical matter."""
    return said.feeling is not None


def open_goals(persona: Persona, state: UserState) -> tuple[Goal, ...]:
    """Return the unmet goals whose predecessors are all met."""
    left = frozenset(state.goals_left)
    return tuple(goal for goal in persona.goals if goal.id in left and not left.intersection(goal.after))


def _saying(state: UserState, said: Intention) -> tuple[Intention, UserState]:
    return said, replace(state, last_said=said)


def _open(persona: Persona, state: UserState, feels: bool, rng: random.Random) -> tuple[Intention, UserState]:
    goal = rng.choice(open_goals(persona, state) or persona.goals)
    if not feels:
        return _saying(state, Intention("open", topic=goal.topic, need=goal.need, goal=goal.id))
    feeling, state = next_feeling(persona, state, rng)
    return _saying(state, Intention("open", feeling=feeling, topic=goal.topic))


def _feeling(
    persona: Persona, state: UserState, tells: bool, detail: float, rng: random.Random
) -> tuple[Intention, UserState]:
    if detail < FEELING_ONLY and not tells:
        feeling, state = next_feeling(persona, state, rng)
        return _saying(state, Intention("feel", feeling=feeling))
    feeling, topic, state = feeling_with_topic(persona, state, rng)
    return _saying(state, Intention("tell" if tells else "feel", feeling=feeling, topic=topic))


def _matter(
    persona: Persona, state: UserState, tells: bool, detail: float, rng: random.Random
) -> tuple[Intention, UserState]:
    if tells or detail < TOPIC_ONLY:
        topic, state = next_topic(persona, state, rng)
        return _saying(state, Intention("tell" if tells else "ask", topic=topic))
    return _question(persona, state, rng)


def _question(persona: Persona, state: UserState, rng: random.Random) -> tuple[Intention, UserState]:
    goals = open_goals(persona, state)
    if rng.random() < OWN_TOPIC:
        goal = rng.choice(_not_just_asked(goals or persona.goals, state.last_said))
        return _saying(state, Intention("ask", topic=goal.topic, need=goal.need, goal=goal.id))
    left = frozenset(state.goals_left)
    known = tuple(goal for goal in persona.goals if goal in goals or goal.id not in left) or persona.goals
    goal = rng.choice(_not_just_asked(known, state.last_said))
    topic, state = next_topic(persona, state, rng)
    about = goal.id if topic == goal.topic else None  # with another topic the question is about no goal
    return _saying(state, Intention("ask", topic=topic, need=goal.need, goal=about))


def _not_just_asked(goals: tuple[Goal, ...], last: Intention | None) -> tuple[Goal, ...]:
    return tuple(goal for goal in goals if last is None or goal.need != last.need) or goals
