"""Probes that hold what was reached; where the aim was missed, :mod:`probe_table` and docs/validity.md say so."""

from __future__ import annotations

import pytest

from holdfast.agents.raters.linear.rater import SHIPPED_PEERS, LinearRater
from tests.agents.raters.probe_table import Probe, auc, probes


@pytest.fixture(scope="module")
def everything() -> list[Probe]:
    return probes()


def test_there_are_eight_of_each_kind_half_of_them_sealed(everything: list[Probe]) -> None:
    kinds = {each.kind for each in everything}
    assert len(kinds) == 21
    for kind in kinds:
        assert [each.sealed for each in everything if each.kind == kind].count(True) == 4


def test_no_good_reply_is_disqualified(everything: list[Probe]) -> None:
    assert [each.id for each in everything if each.quality == "good" and each.stopped] == []


@pytest.mark.parametrize(
    ("kind", "least"), [("empty", 6), ("loop", 7), ("copy", 8), ("refusal", 6), ("advertising", 5)]
)
def test_failures_with_signs_are_disqualified(kind: str, least: int, everything: list[Probe]) -> None:
    assert sum(each.stopped for each in everything if each.kind == kind) >= least


@pytest.mark.parametrize(("mechanism", "least"), [("ER", 0.8), ("IP", 0.74), ("EX", 0.65)])
def test_good_replies_are_rated_above_bad_ones_and_better_than_by_peers(
    mechanism: str, least: float, everything: list[Probe]
) -> None:
    now, peers = (auc(everything, mechanism, rater) for rater in (LinearRater(), LinearRater(SHIPPED_PEERS)))
    assert now >= least
    assert now > peers
