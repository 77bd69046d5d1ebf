"""The section "Does it hold?": verdicts, slopes, bounds, repetition; and sentences where there is nothing."""

import re

import pytest

from holdfast.agents.registry import parse
from holdfast.simulator.measure.bootstrap import all_alike
from holdfast.simulator.report.holding import holding_view
from holdfast.simulator.report.page import write_report
from holdfast.simulator.report.series import palette_of
from tests.simulator.report.make_fixture import make_study, with_candidate
from tests.simulator.results.test_build import PERSONAS, build, conversation


def section(path):
    text = path.read_text(encoding="utf-8")
    return re.search(r'<section id="holding".*?</section>', text, re.S).group()


def test_measured_results_fill_the_section(tmp_path):
    results, episodes, people = make_study(24, ("base", "system_prompt", "routed"), 2)
    found = section(write_report(tmp_path / "report.html", results, episodes, people))
    for chart in ("bounds", "repeat-same_tactics", "repeat-template_share", "repeat-self_similarity"):
        assert f'data-chart="{chart}"' in found, chart
    rows = re.findall(r'<th scope="row">.*?<bdi>(\w+)</bdi>.*?</th><td>([\w ]+) <small>(.*?)</small>', found)
    assert [row[:2] for row in rows] == [
        ("base", "does not hold"),
        ("routed", "holds"),
        ("system_prompt", "does not hold"),
    ]
    assert rows[2][2].startswith("falls by more than 0.10, ends below 0.70")
    assert "base: 2 of 16 left" in found
    assert "the two bounds" in found
    assert not re.search(r"\bnan\b|\bNone\b", found)


def test_log_rank_of_every_pair_stands_beside_the_survival_curve(tmp_path):
    results, episodes, people = make_study(24, ("base", "system_prompt", "routed"), 2)
    text = write_report(tmp_path / "report.html", results, episodes, people).read_text(encoding="utf-8")
    table = re.search(r'aria-label="Log-rank tests: table".*?</table>', text, re.S).group()
    assert table.count("<tr>") == 1 + 3


def test_nobody_left_needs_no_bounds(tmp_path):
    results, episodes, people = make_study(24, ("base", "routed"), 2)
    for name, candidate in results.candidates.items():
        leaving = candidate.holding.leaving.model_copy(update={"left": 0})
        results = with_candidate(results, name, holding=candidate.holding.model_copy(update={"leaving": leaving}))
    found = section(write_report(tmp_path / "report.html", results, episodes, people))
    assert "If users leave" not in found
    assert "Empathy that repeats itself" in found
    assert 'data-chart="bounds"' not in found


def test_nothing_measured_is_said(tmp_path):
    path = write_report(tmp_path / "report.html", *make_study(6, ()))
    assert "No candidate was measured" in section(path)


def test_slopes_are_told_in_ten_turns_and_the_band_spans_both_bounds():
    results, _, _ = make_study(24, ("base", "system_prompt"), 2)
    view = holding_view(results, palette_of(results), 24)
    raw = results.candidates["system_prompt"].holding.mixed_slope.all_turns.mean
    assert view.rows[1].slopes[0].mean == 10 * raw
    assert [test.above for test in view.terms.tests] == [-0.1, 0.7, -0.05]
    upper = results.candidates["base"].holding.leaving.survival_leaving_as_censoring[-1].share
    lower = results.candidates["base"].holding.leaving.survival_leaving_as_event[-1].share
    assert lower < upper
    assert view.bounds.rows[-1][2][0].startswith(f"{lower:.2f} [{lower:.2f}, {upper:.2f}]")


def test_the_whole_curve_stands_beside_first_against_last_and_a_hidden_period_is_said(tmp_path):
    """A reminder every 2 of 8 turns: each quarter holds one turn of either age, and the last is as the first."""
    reminded = parse({"kind": "system_prompt_with_reminder", "name": "reminder", "every": 2})
    episodes = [conversation("reminder", f"p{n}", [0.9, 0.5] * 4) for n in range(8)]
    results = build(episodes, candidates=[reminded], baseline=None)
    reminder = results.candidates["reminder"]
    assert (reminder.retention.mean, reminder.area.mean) == pytest.approx((1.0, 0.7))
    assert reminder.notes["reminders"].startswith("a reminder every 2 turns divides a quarter of 8 turns (2)")
    text = write_report(tmp_path / "report.html", results, episodes, PERSONAS).read_text(encoding="utf-8")
    decay = re.search(r'<section id="decay".*?</section>', text, re.S).group()
    assert f"reminder 0.70 ({all_alike(8)})" in decay
    assert "a reminder every 2 turns divides a quarter" in decay
    assert "Whole curve" in text
