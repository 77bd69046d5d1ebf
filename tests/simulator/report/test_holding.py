"""The section "Does it hold?": verdicts, slopes, bounds, repetition; and sentences where there is nothing."""

import re

from holdfast.simulator.report.holding import holding_view
from holdfast.simulator.report.page import write_report
from holdfast.simulator.report.series import palette_of
from tests.simulator.report.make_fixture import make_episodes, make_personas, make_results
from tests.simulator.report.test_measured import measured


def section(path):
    text = path.read_text(encoding="utf-8")
    return re.search(r'<section id="holding".*?</section>', text, re.S).group()


def test_measured_results_fill_the_section(tmp_path):
    results, episodes, people = measured(24, ["base", "system_prompt", "routed"])
    found = section(write_report(tmp_path / "report.html", results, episodes, people))
    for chart in ("bounds", "repeat-same_tactics", "repeat-template_share", "repeat-self_similarity"):
        assert f'data-chart="{chart}"' in found, chart
    rows = re.findall(r'<th scope="row">.*?<bdi>(\w+)</bdi>.*?</th><td>(\w+)', found)
    assert dict(rows) == {"base": "holds", "routed": "holds", "system_prompt": "falls"}
    assert "base: 2 of 16 left" in found
    assert "the two bounds" in found
    assert not re.search(r"\bnan\b|\bNone\b", found)


def test_log_rank_of_every_pair_stands_beside_the_survival_curve(tmp_path):
    results, episodes, people = measured(24, ["base", "system_prompt", "routed"])
    text = write_report(tmp_path / "report.html", results, episodes, people).read_text(encoding="utf-8")
    table = re.search(r'aria-label="Log-rank tests: table".*?</table>', text, re.S).group()
    assert table.count("<tr>") == 1 + 3


def test_nobody_left_needs_no_bounds(tmp_path):
    results, episodes, people = measured(24, ["base", "routed"])
    for one in results["candidates"].values():
        one["holding"]["leaving"]["left"] = 0
    found = section(write_report(tmp_path / "report.html", results, episodes, people))
    assert "No user left a conversation before its planned end" in found
    assert 'data-chart="bounds"' not in found


def test_results_of_an_older_version_say_how_to_get_it(tmp_path):
    people = make_personas(per_task=1)
    path = write_report(tmp_path / "report.html", make_results(6), make_episodes(people, turns=6, seeds=1), people)
    assert "These results hold no test of holding" in section(path)


def test_slopes_are_told_in_ten_turns_and_the_band_spans_both_bounds():
    results, _, _ = measured(24, ["base", "system_prompt"])
    view = holding_view(results, palette_of(results), 24)
    raw = results["candidates"]["system_prompt"]["holding"]["mixed_slope"]["all_turns"]["mean"]
    assert view.rows[1].slopes[0].mean == 10 * raw
    assert view.margin == 0.1
    upper = results["candidates"]["base"]["holding"]["leaving"]["survival_leaving_as_censoring"][-1]["share"]
    lower = results["candidates"]["base"]["holding"]["leaving"]["survival_leaving_as_event"][-1]["share"]
    assert lower < upper
    assert view.bounds.rows[-1][2][0].startswith(f"{lower:.2f} [{lower:.2f}, {upper:.2f}]")
