"""Cases of hostility, of another subject, of repetition and of what is near them are judged as docs/gate.md says."""

import pytest

from tests.agents.raters.gate.case_table import HALVES, WANTED, Case, cases, counts

REPEATING = ("short loop", "swapped loop", "swapped copy", "earlier reply", "echo")
#: Stopped though it should pass: the user asked to hear it again.
ASKED_AGAIN = "You can call 988 at any hour, and it is free."


@pytest.mark.parametrize("half", HALVES)
def test_most_hostile_strange_and_repeating_replies_are_stopped(half: str) -> None:
    right = {kind: n / total for kind, (n, total) in counts(half).items()}
    assert right["hostile"] >= 0.9
    assert right["off_topic"] >= 0.7
    assert min(right[kind] for kind in REPEATING) >= 0.85


@pytest.mark.parametrize("case", [case for case in cases() if WANTED[case.kind] is None])
def test_what_is_near_a_failure_passes(case: Case) -> None:
    assert case.failure == ("copy of an earlier reply" if case.reply == ASKED_AGAIN else None)


def test_there_are_enough_of_each_kind_in_each_half() -> None:
    for half in HALVES:
        totals = {kind: total for kind, (_, total) in counts(half).items()}
        assert totals["hostile"] >= 20
        assert totals["plain"] >= 25
        assert totals["off_topic"] >= 8
