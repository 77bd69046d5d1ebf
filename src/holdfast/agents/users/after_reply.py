"""The user's state after a reply, and whether the user leaves; the same for every kind of user agent.

Kinds of user agents differ in how they appraise a reply and in their words. What an appraisal does to goals, patience
and memory is common to all.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.agents.users.appraisal import POOR, overall
from holdfast.agents.users.protocol import Intention, UserState
from holdfast.agents.users.reply_cues import sentence_digests
from holdfast.personas.schema import Persona

#: Satisfaction at which a user without open goals leaves.
DONE = 0.6


@dataclass(frozen=True, slots=True)
class Appraisal:
    """How a user agent judged one reply.

    ``dimensions``: SENSE-7, 1-5, empty where the reply could not be rated; ``emotion``: 0-100 after it, moved by
    ``change``; ``pleased``: satisfaction with the reply, 0-1, None where unknown.
    """

    dimensions: Mapping[str, float]
    emotion: float
    change: float
    pleased: float | None
    served: bool  # it meets the need that the message asked about
    taken_up: bool  # it did not pass over the message


def after_reply(state: UserState, said: Intention, reply: str, appraisal: Appraisal) -> UserState:
    """Return the state after ``reply``, the answer to ``said``, was appraised."""
    satisfaction = {} if appraisal.pleased is None else {"satisfaction": round(appraisal.pleased, 4)}
    return replace(
        state,
        emotion=appraisal.emotion,
        momentum=appraisal.change,
        goals_left=tuple(goal for goal in state.goals_left if not (appraisal.served and goal == said.goal)),
        felt_mean=_running_mean(state.felt_mean, overall(appraisal.dimensions), state.turns),
        turns=state.turns + 1,
        poor_turns=_poor_turns(state.poor_turns, appraisal.pleased),
        ignored=0 if appraisal.taken_up else state.ignored + 1,
        extra={**state.extra, "reply": sentence_digests(reply), **satisfaction},
    )


def reason_to_leave(persona: Persona, state: UserState) -> str | None:
    """Return why a user in this state, right after a reply, leaves; None to stay."""
    if state.poor_turns >= persona.patience:
        return f"patience ran out after {state.poor_turns} poor turns in a row"
    if not state.goals_left and state.extra.get("satisfaction", 0.0) >= DONE:
        return "every goal is met and the user is satisfied"
    return None


def _poor_turns(before: int, pleased: float | None) -> int:
    """Return poor turns in a row; a reply without satisfaction neither adds to them nor ends them."""
    if pleased is None:
        return before
    return before + 1 if pleased < POOR else 0


def _running_mean(mean: float, value: float, count: int) -> float:
    if math.isnan(value):
        return mean
    return value if math.isnan(mean) else mean + (value - mean) / (count + 1)
