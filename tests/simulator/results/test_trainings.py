"""Several trainings of one arm in results, on the page and on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.agents.registry import parse
from holdfast.simulator.cli.studies.summary import print_summary
from holdfast.simulator.report.page import write_report
from tests.simulator.results.test_build import PERSONAS, build, conversation

ARM = ("routed", "routed-2", "routed-3")
LEVELS = {"base": 0.6, "routed": 0.8, "routed-2": 0.85, "routed-3": 0.9}


def study(people: int):
    episodes = [conversation(name, f"p{n}", [level] * 8) for name, level in LEVELS.items() for n in range(people)]
    routed = parse("routed")
    specs = [parse("base"), *(routed.retrained(number) for number in (1, 2, 3))]
    return build(episodes, candidates=specs, trainings={"routed": ARM}), episodes


def test_each_training_is_shown_and_the_mean_has_t_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, episodes = study(8)
    (row,) = results.trainings
    assert (row.arm, row.against, row.people) == ("routed", "base", 8)
    assert [*row.by_training] == [*ARM]
    differences = [row.by_training[name] for name in ARM]
    assert differences[1] - differences[0] == pytest.approx(0.05)
    # .2, .25, .3: mean .25, spread .05, SE .028868, t(2) = 4.3027
    mean = sum(differences) / 3
    assert (row.difference.mean, row.difference.lo) == pytest.approx((mean, mean - 4.3027 * 0.028868), abs=1e-4)
    print_summary(results, tmp_path)
    assert "routed less base, over 3 trainings: +0." in capsys.readouterr().out
    page = write_report(tmp_path / "report.html", results, episodes, PERSONAS).read_text(encoding="utf-8")
    assert "Several trainings of one arm" in page
    assert f"Trained again on the same dialogues: <bdi>{row.in_words}</bdi>" in page


def test_of_four_people_the_trainings_have_no_limits() -> None:
    (row,) = study(4)[0].trainings
    assert (row.difference.lo, row.difference.hi) == (None, None)
    assert row.in_words.endswith("; 4 people: cannot be tested")


def test_one_training_is_no_replicate() -> None:
    assert build([conversation("routed", "p1", [0.9] * 8), conversation("base", "p1", [0.9] * 8)]).trainings == []
