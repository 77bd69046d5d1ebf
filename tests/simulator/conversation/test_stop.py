from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.agents.protocols import Message
from holdfast.agents.users.protocol import Felt, UserState
from holdfast.simulator.conversation.stop import MaxTurns, Repeats, StopRule, TurnEnd, UserLeaves, stop_rule


def moment(turn: int = 1, leave: str | None = None, replies: Sequence[str] = ()) -> TurnEnd:
    state = UserState(50.0, 0.0, (), (), (), 3.0, math.nan)
    messages = tuple(m for reply in replies for m in (Message("user", "hm"), Message("assistant", reply)))
    return TurnEnd(turn, Felt({}, state, leave), messages)


@pytest.mark.parametrize(
    ("rule", "goes_on", "stops", "reason"),
    [
        (MaxTurns(3), moment(2), moment(3), "max turns"),
        (UserLeaves(), moment(), moment(leave="tired"), "user left: tired"),
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


@given(st.integers(1, 5), st.booleans(), st.sampled_from(["aaaa", "abab"]))
def test_joined_rules_are_boolean_algebra(turn: int, leaves: bool, replies: str) -> None:
    a, b, c = MaxTurns(3), UserLeaves(), Repeats(4)
    now = moment(turn, "x" if leaves else None, replies)

    def holds(rule: StopRule) -> bool:
        return rule.reason(now) is not None

    assert holds(a | b) == (holds(a) or holds(b)) == holds(b | a)
    assert holds((a | b) | c) == holds(a | (b | c))


def test_users_who_may_not_leave_stay_to_the_end() -> None:
    tired = moment(2, leave="tired", replies="aaaa")
    assert stop_rule(3, leave=False).reason(tired) is None
    assert stop_rule(3, leave=True).reason(tired) == "user left: tired"
    assert stop_rule(3, leave=True).reason(moment(2, replies="aaaa")) == "repeated loop"
