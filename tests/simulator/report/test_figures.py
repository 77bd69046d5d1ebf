"""The parts that figures are drawn from, against values worked out by hand."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulator.measure.decay.survival import SurvivalPoint
from holdfast.simulator.measure.estimates import Estimate, MeanEstimate, TurnEstimate
from holdfast.simulator.report.axes import Axis, fitted, spread_labels, turn_axis
from holdfast.simulator.report.forest import pair_tables, strips
from holdfast.simulator.report.gap import gap_rows
from holdfast.simulator.report.lines import line_chart
from holdfast.simulator.report.network import HEIGHT, WIDTH, network
from holdfast.simulator.report.page import write_report
from holdfast.simulator.report.routing import confusion
from holdfast.simulator.report.series import Series, palette_of
from holdfast.simulator.report.values import UNDEFINED, between, count, fixed, percent, signed, times
from holdfast.simulator.results.model import PopulationResults, TaskInfo
from tests.simulator.report.make_fixture import make_results, with_candidate

ONE = Series("one", 0, 1, False)


def test_numbers_are_written_as_readers_expect():
    assert [fixed(-0.315, 1), fixed(-0.001)] == ["\u22120.3", "0.00"]
    assert [fixed(None), fixed(float("nan"))] == [UNDEFINED, UNDEFINED]
    assert [signed(0.2), signed(-0.2), signed(0.001)] == ["+0.20", "\u22120.20", "0.00"]
    assert [percent(0.726), times(2.428), count(12345)] == ["73\u202f%", "\u00d72.43", "12,345"]
    assert between(Estimate(mean=0.5, lo=0.414, hi=0.6), "percent") == "41 to 60\u202f%"
    assert between(Estimate(mean=0.5, lo=None, hi=0.6)) == ""


def test_an_interval_that_touches_zero_does_not_exclude_it():
    assert Estimate(mean=0.1, lo=0.01, hi=0.2).excludes_zero
    assert Estimate(mean=-0.1, lo=-0.2, hi=-0.01).excludes_zero
    assert not Estimate(mean=0.1, lo=0.0, hi=0.2).excludes_zero
    assert not Estimate(mean=0.1, lo=None, hi=None).excludes_zero


def test_axis_places_and_ticks():
    axis = fitted([0.53, 0.97], 0, 1)
    assert (axis.lo, axis.hi) == pytest.approx((0.5, 1.0))
    assert axis.tick_values == pytest.approx((0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
    assert Axis(0, 2).at(0.5) == 25
    assert Axis(0, 2).down(0.5) == 75
    assert Axis(0, 2).at(9) == 100


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_axis_holds_every_value(values):
    axis = fitted(values)
    slack = 1e-6 * max(1.0, abs(axis.lo), abs(axis.hi))
    assert axis.lo < axis.hi
    assert all(axis.lo - slack <= v <= axis.hi + slack for v in values)


def test_turn_axis_has_both_ends():
    assert turn_axis(24).tick_values == (1, 5, 10, 15, 20, 24)
    assert turn_axis(100).tick_values == (1, 20, 40, 60, 80, 100)
    assert turn_axis(2).tick_values == (1, 2)
    assert turn_axis(1).at(1) == 50


@given(st.lists(st.floats(0, 300), min_size=1, max_size=12))
def test_labels_never_overlap_and_keep_their_order(places):
    moved = spread_labels(places, 17, 0, 300)
    order = sorted(range(len(places)), key=lambda i: places[i])
    gaps = [moved[b] - moved[a] for a, b in itertools.pairwise(order)]
    assert all(gap >= 17 - 0.11 for gap in gaps)
    assert min(moved) >= -0.01
    assert max(moved) <= 300.01


def test_labels_with_room_stay_where_they_are_and_pairs_are_centred():
    assert spread_labels([10, 100], 20, 0, 200) == [10, 100]
    assert spread_labels([100, 100], 20, 0, 200) == [90, 110]


def chart(line, **more):
    return line_chart("c", "t", "d", [(ONE, line)], turns=5, y=Axis(0, 1), **more)


def test_a_line_breaks_where_a_value_is_undefined():
    line = [TurnEstimate(turn=t, mean=m, lo=None, hi=None, n=3) for t, m in enumerate([1, 0.5, None, 0.5, None], 1)]
    (curve,) = chart(line).curves
    assert curve.path == "M0.0 0.0L25.0 50.0"
    assert curve.dots == ((75.0, 50.0),)
    assert curve.band == ""
    assert chart(line).rows[2] == (3, 50.0, (f"{UNDEFINED} n=3",))


def test_a_band_goes_out_along_the_top_and_back_along_the_bottom():
    line = [TurnEstimate(turn=t, mean=0.5, lo=0.4, hi=0.6, n=3) for t in (1, 5)]
    assert chart(line).curves[0].band == "M0.0 40.0L100.0 40.0L100.0 60.0L0.0 60.0Z"
    assert chart(line).rows[0][2] == ("0.50 [0.40, 0.60] n=3",)


def test_steps_fall_at_their_turn():
    line = [SurvivalPoint(turn=t, share=s, lo=s, hi=s, at_risk=4, events=0) for t, s in ((1, 1.0), (3, 0.5), (5, 0.0))]
    (curve,) = chart(line, steps=True).curves
    assert curve.path == "M0.0 0.0H50.0V50.0H100.0V100.0"
    assert curve.band == "M0.0 0.0H50.0V50.0H100.0V100.0V100.0V50.0H50.0V0.0H0.0Z"


def test_quarters_are_those_of_retention():
    """Of 10 turns a quarter is 2: turns 1-2 and 9-10 (holdfast.simulator.measure.decay.retention.quarters)."""
    found = line_chart(
        "c", "t", "d", [(ONE, [TurnEstimate(turn=1, mean=0.5, lo=None, hi=None, n=1)])], turns=10, quarters=True
    )
    assert [(round(a, 1), round(b, 1)) for a, b, _ in found.spans] == [(0, 11.1), (88.9, 100)]


def test_the_cast_follows_the_headline_and_greys_the_baseline():
    people = palette_of(make_results())
    assert people.best is not None
    assert people.rival is not None
    assert (people.best.name, people.best.slot) == ("oracle", 1)
    assert (people.rival.name, people.rival.slot) == ("system_prompt_with_reminder", 2)
    assert people["base"].slot == 0
    assert len({s.slot for s in people.series}) == 6


def test_gap_rows_place_before_and_after_on_the_perceived_scale():
    results = make_results()
    by_task = results.candidates["base"].by_task
    felt = MeanEstimate(mean=3.0, lo=None, hi=None, n=1)
    cell = by_task["bug_hunt"].model_copy(update={"desired": 1.0, "perceived": felt})
    results = with_candidate(results, "base", by_task={**by_task, "bug_hunt": cell})
    row = gap_rows(results, palette_of(results))[0]
    assert (row.task, row.pattern, row.desired_at, row.before) == ("Hunting a bug", "Solver", 0, 50)
    assert len(gap_rows(results, palette_of(results))) == 8


def test_strips_share_an_axis_that_holds_the_reference():
    left, right = strips([Estimate(mean=0.2, lo=0.1, hi=0.4), Estimate(mean=None, lo=None, hi=None)], 0.0)
    assert left.reference == right.reference == 0
    assert (left.at, left.lo, left.hi) == (50, 25, 100)
    assert right.at is None


def test_pairs_stand_in_a_table_with_those_that_they_were_tested_with():
    results = make_results()  # three trained candidates, three untrained ones
    tables = [(table.metric, table.family, len(table.rows)) for table in pair_tables(results, palette_of(results))]
    assert tables == [
        ("adherence_last_quarter", "trained and untrained", 9),
        ("adherence_last_quarter", "alike", 6),
        ("adherence", "trained and untrained", 9),
        ("adherence", "alike", 6),
    ]


def test_confusion_counts_and_shades():
    tasks = {id: TaskInfo(title=title, pattern="p") for id, title in (("b", "Bee"), ("a", "Ay"))}
    results = make_results(6)
    router = results.router.model_copy(update={"confusion": {"a": {"a": 9, "b": 1}, "b": {"b": 4}}})
    table = confusion(results.model_copy(update={"router": router, "tasks": tasks}))
    assert table is not None
    assert table.columns == ("Bee", "Ay")
    (bee, four, cells), (_, ten, others) = table.rows
    assert (bee, four, [c.count for c in cells]) == ("Bee", 4, [4, 0])
    assert (ten, [(c.count, c.shade, c.right) for c in others]) == (10, [(1, 1, False), (9, 8, True)])
    assert confusion(results.model_copy(update={"router": None})) is None


def test_network_is_seeded_inside_its_frame_and_drops_ties_to_nobody():
    def results(people, edges=()):
        nodes = [{"id": str(i), "persona": "p", "task": "t", "felt": felt} for i, felt in enumerate(people)]
        population = PopulationResults.model_validate({"nodes": nodes, "edges": edges})
        return make_results(6).model_copy(update={"population": population})

    drawn, again = (network(results((1, 5, None), [("0", "1"), ("0", "9")]), {}) for _ in range(2))
    assert drawn == again
    assert drawn is not None
    assert [n.shade for n in drawn.nodes] == [0, 7, None]
    assert len(drawn.edges) == 1
    assert all(0 < n.x < WIDTH and 0 < n.y < HEIGHT for n in drawn.nodes)
    assert "2,001 people, too many" in network(results([1] * 2001), {}).note
    assert network(make_results(6).model_copy(update={"population": None}), {}) is None


def test_expectations_by_round_stand_beside_the_network(tmp_path):
    def page(rounds, late=()):
        each = [
            {"candidate": name, "round": number, "desired": 3 - 0.25 * number, "felt": 2.5}
            for name in ("base", "<b>")
            for number in range(1, rounds + 1)
            if (name, number) not in late
        ]
        nodes = [{"id": "a", "persona": "p", "task": "t", "felt": 2.0}]
        population = PopulationResults.model_validate({"nodes": nodes, "edges": [], "candidate": "<b>", "rounds": each})
        results = make_results(6).model_copy(update={"population": population})
        return write_report(tmp_path / "r.html", results, [], {}).read_text(encoding="utf-8")

    row = '<bdi>&lt;b&gt;</bdi></th><td class="n">2.75 → 2.50</td><td class="n">2.50 → 2.50</td>'
    assert row in page(2)
    assert "with <bdi>&lt;b&gt;</bdi> in the last round" in page(2)
    assert "Expectations by round" not in page(1)
    behind = page(2, late={("base", 2)})  # of a run that was stopped
    assert f'<bdi>base</bdi></th><td class="n">2.75 → 2.50</td><td class="n">{UNDEFINED}</td>' in behind
    assert row in behind
    assert "Round 2</th>" in behind
