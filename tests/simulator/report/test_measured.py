"""What measurement really returns is what the page reads: from episodes to results to the page."""

import re

import pytest

from holdfast.personas.schema import MECHANISMS, EmpathyPattern, MechanismLevels, TaskContext
from holdfast.simulator.report.page import write_report
from holdfast.simulator.results.build import build_results, headline
from tests.simulator.report.make_fixture import PATTERNS, TASKS, make_episodes, make_personas

ASSUMED = "made up for this test"


def measured(turns, candidates, per_task=2):
    people = make_personas(per_task)
    episodes = make_episodes(people, turns=turns, seeds=1, candidates=candidates)
    tasks = {
        id: TaskContext(
            id=id,
            title=title,
            description=title,
            assumption=ASSUMED,
            pattern=p,
            topics=("a", "b", "c"),
            needs=("d", "e", "f"),
        )
        for id, (title, p) in TASKS.items()
    }
    patterns = {
        id: EmpathyPattern(
            id=id,
            title=id.capitalize(),
            description=id,
            assumption=ASSUMED,
            target=MechanismLevels(**dict(zip(MECHANISMS, levels, strict=True))),
            advice=advice,
        )
        for id, (levels, advice) in PATTERNS.items()
    }
    results = build_results(
        episodes,
        tasks=tasks,
        patterns=patterns,
        personas=people,
        study_name="measured",
        seed=3,
        baseline="base",
        timings_s={"simulate": 1.0},
        provenance={},
        draws=60,
    )
    return results, episodes, people


def test_measured_results_fill_every_figure_and_name_the_headline_pair(tmp_path):
    results, episodes, people = measured(12, ["base", "system_prompt", "routed"])
    text = write_report(tmp_path / "report.html", results, episodes, people).read_text(encoding="utf-8")
    for chart in ("decay", "level-exploration", "error-exploration", "survival", "routing"):
        assert f'data-chart="{chart}"' in text, chart
    assert text.count('class="dumbbell"') == 8
    assert '<table class="confusion">' in text
    assert "experts kept" in headline(results)
    assert headline(results).index("Routed experts") < headline(results).index("system prompt")
    named = re.findall(r"<em class=\"s\d\"><bdi>(\w+)</bdi>", text)
    assert named == ["routed", "system_prompt"]


@pytest.mark.parametrize(("turns", "candidates"), [(1, ["base"]), (1, ["base", "routed"]), (2, ["adapter"])])
def test_short_studies_make_a_page(tmp_path, turns, candidates):
    results, episodes, people = measured(turns, candidates, per_task=1)
    text = write_report(tmp_path / "report.html", results, episodes, people).read_text(encoding="utf-8")
    assert ("Retention is undefined here" in text) == (turns == 1)
    assert not re.search(r"\bnan\b|\bNone\b", text.split("<script>")[0].split('id="transcript-data"')[0])
