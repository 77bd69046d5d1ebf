"""A figure that is the same in everyone has no interval, and the reason stands in its place: results, page, screen."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.agents.raters.protocol import Rating
from holdfast.simulator.measure.bootstrap import all_alike
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.model import Results
from tests.simulator.measure.making import PRIMARY
from tests.simulator.report.test_contradictions import held, plain, section, shown

TABLE = Path(__file__).parents[3] / "examples" / "real_models" / "table.py"
WHY = all_alike(8)
TURNS = 8


def stopped_at_the_end() -> list[EpisodeRecord]:
    """Base varies throughout; of routed the gate stops the whole last quarter, before all eight people."""
    episodes = []
    for each in held([(0.8, 0.8, 0.15, False, 0), (0.9, 0.9, 0.03, False, 0), (0.9, 0.7, 0.15, False, 0)], 8, TURNS, 1):
        gone = {PRIMARY.name: Rating(disqualified="loop")}
        ended = each.spec.candidate == "routed"
        turns = [replace(turn, ratings=gone) if ended and turn.turn > TURNS - 2 else turn for turn in each.turns]
        episodes.append(replace(each, turns=tuple(turns)))
    return episodes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, str, str]:
    return shown(stopped_at_the_end(), tmp_path_factory.mktemp("alike"))


def test_a_quarter_that_is_stopped_before_everyone_has_no_limits_and_does_not_hold(
    made: tuple[Results, str, str],
) -> None:
    routed = made[0].candidates["routed"]
    for figure in (routed.adherence_last_quarter, routed.retention, *routed.adherence_by_turn[-2:]):
        assert (figure.mean, figure.lo, figure.hi, figure.reason) == (0, None, None, WHY)
    assert routed.adherence.bounded
    assert (routed.adherence.reason, routed.adherence_by_turn[0].reason) == ("", "")
    tested = routed.holding.holds
    assert (tested.verdict, tested.level.outcome, tested.course) == ("does not hold", "failed", "falls")
    assert "ends below" in tested.why


def test_results_hold_no_interval_without_width_and_are_read_again(made: tuple[Results, str, str]) -> None:
    text = made[0].model_dump_json()
    assert Results.model_validate_json(text) == made[0]
    seen: list[dict[str, object]] = []

    def walk(part: object) -> None:
        if isinstance(part, dict):
            if part.keys() >= {"mean", "lo", "hi"}:
                seen.append(part)
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(json.loads(text))
    assert len(seen) > 100
    assert [each for each in seen if each["lo"] is not None and each["lo"] == each["hi"]] == []
    assert any(each.get("reason") == WHY for each in seen)
    base = made[0].candidates["base"]
    assert (base.score_factor.mean, base.score_factor.reason) == (1, "the baseline itself")


def test_the_page_and_the_screen_give_the_reason(made: tuple[Results, str, str]) -> None:
    _, page, screen = made
    assert section(page, "top").count(WHY) >= 2  # last quarter and retention
    assert WHY in section(page, "holding")
    assert f"[{WHY}]" in section(page, "decay")  # the numbers behind the curve
    assert "0.00 [all alike]" in screen
    assert f"routed: retention without limits: {WHY}" in screen
    assert plain(page).count("0.00 to 0.00") == 0


def test_results_without_reasons_are_read(made: tuple[Results, str, str]) -> None:
    """As they were written before."""
    older = json.loads(
        made[0].model_dump_json(), object_hook=lambda part: {k: v for k, v in part.items() if k != "reason"}
    )
    assert Results.model_validate(older).candidates["routed"].retention.reason == ""


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ({"mean": 0.5, "lo": 0.4, "hi": 0.6, "reason": ""}, "0.50 [0.40, 0.60]"),
        ({"mean": 0.5, "lo": 0.4, "hi": 0.6}, "0.50 [0.40, 0.60]"),
        ({"mean": 0.0, "lo": None, "hi": None, "reason": WHY}, f"0.00 [{WHY}]"),
        ({"mean": 0.5, "lo": None, "hi": None}, "0.50"),
        ({"mean": None, "lo": None, "hi": None, "reason": "cannot tell"}, "cannot tell"),
        (None, "-"),
    ],
)
def test_the_examples_table_gives_the_reason(figure: dict[str, object] | None, said: str) -> None:
    assert runpy.run_path(str(TABLE))["interval"](figure) == said
