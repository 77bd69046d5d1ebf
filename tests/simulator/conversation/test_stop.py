from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.agents.protocols import Felt, Message, UserState
from holdfast.simulator.conversation.stop import GoalsDone, MaxTurns, TurnEnd, Repeats, StopRule, UserLeaves


def moment(
    turn: int = 1, leave: str | None = None, goals: Sequence[str] = ("g",), replies: Sequence[str] = ()
) -> TurnEnd:
    state = UserState(50.0, 0.0, tuple(goals), (), (), 3.0, math.nan)
    messages = tuple(m for reply in replies for m in (Message("user", "hm"), Message("assistant", reply)))
    return TurnEnd(turn, Felt({}, state, leave), messages)


@pytest.mark.parametrize(
    ("rule", "goes_on", "stops", "reason"),
    [
        (MaxTurns(3), moment(2), moment(3), "max turns"),
        (UserLeaves(), moment(), moment(leave="tired"), "user left: tired"),
        (GoalsDone(), moment(), moment(goals=()), "goals done"),
        (Repeats(2), moment(replies="aba"), moment(replies="abb"), "repeated loop"),
        (Repeats(3), moment(replies="bb"), moment(replies="bbb"), "repeated loop"),
    ],
)
def test_each_rule(rule: StopRule, goes_on: TurnEnd, stops: TurnEnd, reason: str) -> None:
    assert rule.reason(goes_on) is None
    assert rule.reason(stops) == reason


def test_any_gives_the_first_reason() -> None:
    rule = MaxTurns(3) | UserLeaves()
    assert rule.reason(moment(3, leave="tired")) == "max turns"
    assert (UserLeaves() | MaxTurns(3)).reason(moment(3, leave="tired")) == "user left: tired"


def test_all_gives_every_reason_or_none() -> None:
    rule = MaxTurns(3) & UserLeaves()
    assert rule.reason(moment(3)) is None
    assert rule.reason(moment(2, leave="tired")) is None
    assert rule.reason(moment(3, leave="tired")) == "max turns and user left: tired"


@given(st.integers(1, 5), st.booleans(), st.booleans())
def test_joined_rules_are_boolean_algebra(turn: int, leaves: bool, done: bool) -> None:
    a, b, c = MaxTurns(3), UserLeaves(), GoalsDone()
    now = moment(turn, "x" if leaves else None, () if done else ("g",))

    def holds(rule: StopRule) -> bool:
        return rule.reason(now) is not None

    assert holds(a | b) == (holds(a) or holds(b)) == holds(b | a)
    assert holds(a & b) == (holds(a) and holds(b)) == holds(b & a)
    assert holds(a & (b | c)) == holds((a & b) | (a & c))
    assert holds((a | b) | c) == holds(a | (b | c))
