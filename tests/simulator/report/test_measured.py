"""What measurement really returns is what the page reads: from episodes to results to the page."""

import re

import pytest

from holdfast.simulator.report.page import write_report
from tests.simulator.report.make_fixture import make_study


def test_measured_results_fill_every_figure_and_name_the_headline_pair(tmp_path):
    results, episodes, people = make_study(12, ("base", "system_prompt", "routed"), 2)
    text = write_report(tmp_path / "report.html", results, episodes, people).read_text(encoding="utf-8")
    for chart in ("decay", "level-exploration", "error-exploration", "survival", "routing"):
        assert f'data-chart="{chart}"' in text, chart
    assert text.count('class="dumbbell"') == 8
    assert '<table class="confusion">' in text
    assert "experts kept" in results.headline
    assert results.headline.index("Routed experts") < results.headline.index("system prompt")
    named = re.findall(r"<em class=\"s\d\"><bdi>(\w+)</bdi>", text)
    assert named == ["routed", "system_prompt"]


@pytest.mark.parametrize(("turns", "candidates"), [(1, ("base",)), (1, ("base", "routed")), (2, ("adapter",))])
def test_short_studies_make_a_page(tmp_path, turns, candidates):
    results, episodes, people = make_study(turns, candidates)
    text = write_report(tmp_path / "report.html", results, episodes, people).read_text(encoding="utf-8")
    assert ("Retention is undefined here" in text) == (turns == 1)
    assert not re.search(r"\bnan\b|\bNone\b", text.split("<script>")[0].split('id="transcript-data"')[0])


def test_goals_and_witnesses_have_their_sections(tmp_path):
    results, episodes, people = make_study(12, ("base", "system_prompt", "routed"), 2)
    text = write_report(tmp_path / "report.html", results, episodes, people).read_text(encoding="utf-8")
    goals = re.search(r'<section id="goals".*?</section>', text, re.S).group()
    assert 'data-chart="goals"' in goals
    assert "At the planned end: base 0\u202f%" in goals
    assert "<td>sort the slides</td>" in goals
    assert re.search(r"\d+ of \d+ <span class=\"interval\">turn \d\.\d</span>", goals)
    raters = re.search(r'<section id="witnesses".*?</section>', text, re.S).group()
    assert "rest on the ratings of linear" in raters
    assert 'data-chart="witness-1"' in raters
    assert "no answer in time" in raters
    assert re.search(r"emotional reaction \+1\.00", raters)
    assert "serves: sort the slides" in text


def test_a_study_without_witnesses_and_goals_has_neither_section(tmp_path):
    results, episodes, people = make_study(2, ("base",))
    base = results.candidates["base"].model_copy(update={"goals": None})
    plain = results.model_copy(update={"candidates": {"base": base}, "raters": results.raters[:1]})
    text = write_report(tmp_path / "report.html", plain, episodes, people).read_text(encoding="utf-8")
    assert 'id="goals"' not in text
    assert 'id="witnesses"' not in text
