"""Two runs compared: by hand on synthetic runs, and refused where their instruments differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.errors import InputError
from holdfast.personas.loading import library
from holdfast.simulator.comparing.differences import compare_folders, compare_runs
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.measure.bootstrap import all_alike
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.runtime.recorded_run import RecordedRun, read_recorded_run
from tests.simulator.measure.making import PRIMARY, curve_episode
from tests.simulator.recorded import record_run
from tests.simulator.results.test_build import make_pattern

SOLVERS = [persona.id for persona in library().values() if persona.task in ("bug_hunt", "data_question")][:6]


def made(name: str, episodes: list[EpisodeRecord], **study: object) -> RecordedRun:
    """A run of these conversations, whose pattern asks for nothing: adherence is what the curve says."""
    plan = resolve(StudyConfig.model_validate({"candidates": ["base"], "personas": {"ids": SOLVERS}} | study))
    plan = replace(plan, patterns={**plan.patterns, "solver": make_pattern("solver", (0, 0, 0))})
    return RecordedRun(Path(name), plan, {}, {}, {}, [PRIMARY], episodes)


def curves(rows: dict[str, list[float]], candidate: str = "base") -> list[EpisodeRecord]:
    task = {id: library()[id].task for id in rows}
    return [
        curve_episode(row, candidate=candidate, persona=id, task=task[id], seed=1, max_turns=len(row), stop="max turns")
        for id, row in rows.items()
    ]


def test_by_hand() -> None:
    # eight turns: first quarter .8, last .6, between them .7: mean .7, retention .75; the second run keeps .8
    before = {id: [0.8, 0.8, 0.7, 0.7, 0.7, 0.7, 0.6, 0.6] for id in SOLVERS}
    after = {id: [0.8] * 8 for id in SOLVERS}
    compared = compare_runs(made("a", curves(before)), made("b", curves(after)))
    figures = {each.metric: each for each in compared.differences}
    assert [*figures] == ["adherence", "retention", "area"]
    assert {metric: (each.first, each.second) for metric, each in figures.items()} == {
        "adherence": pytest.approx((0.7, 0.8)),
        "retention": pytest.approx((0.75, 1.0)),
        "area": pytest.approx((0.7, 0.8)),
    }
    assert [each.difference.mean for each in compared.differences] == pytest.approx([0.1, 0.25, 0.1])
    assert {each.difference.lo for each in compared.differences} == {None}
    assert {each.difference.reason for each in compared.differences} == {all_alike(6)}
    assert {(each.people, each.difference.n) for each in compared.differences} == {(6, 6)}
    assert compared.notes == []


def test_the_area_counts_a_turn_that_few_reached_like_any_other() -> None:
    # five people talk for one turn at 1, one for two turns at 1 and 0: mean of means 11/12, area (1 + 0) / 2
    rows = {id: [1.0] for id in SOLVERS[:5]} | {SOLVERS[5]: [1.0, 0.0]}
    episodes = [replace(each, spec=replace(each.spec, max_turns=2)) for each in curves(rows)]
    runs = [made(name, episodes) for name in "ab"]
    figures = {each.metric: each for each in compare_runs(*runs).differences}
    assert figures["adherence"].first == pytest.approx(11 / 12)
    assert figures["area"].first == pytest.approx(0.5)
    assert figures["area"].difference.lo is None  # one person reached turn 2


def test_pairing_makes_it_narrow_and_the_sign_is_second_less_first() -> None:
    levels = dict(zip(SOLVERS, np.linspace(0.3, 0.8, 6), strict=True))
    before = {id: [level] * 8 for id, level in levels.items()}
    after = {id: [level + 0.05 + 0.001 * (level > 0.5)] * 8 for id, level in levels.items()}
    compared = compare_runs(made("a", curves(before)), made("b", curves(after)))
    adherence = compared.differences[0].difference
    assert adherence.mean == pytest.approx(0.0505)
    assert 0.045 < adherence.lo < adherence.hi < 0.055  # people differ by .5, their differences by .001


def test_only_what_both_have_counts_and_the_rest_is_said() -> None:
    before = {id: [0.8] * 8 for id in SOLVERS}
    after = {id: [0.7] * 8 for id in SOLVERS[:3]}
    going = [replace(each, turns=(*each.turns[:-1], replace(each.turns[-1], stop=None))) for each in curves(after)]
    compared = compare_runs(made("a", curves(before)), made("b", going, seed=3))
    assert {each.people for each in compared.differences} == {3}
    row = compared.differences[0]
    assert (row.untested, row.difference.lo) == ("3 people: cannot be tested", None)
    assert row.difference.mean == pytest.approx(-0.1)
    assert compared.notes == [
        "3 conversations only in a (base): left out",
        "b: 3 conversations not over yet, measured up to where they are",
        "the runs have other seeds (0, 3): the same people drew other random numbers",
    ]


def test_nothing_in_common_is_an_error() -> None:
    rows = {id: [0.8] * 8 for id in SOLVERS}
    with pytest.raises(InputError, match=r"no candidate is in both runs \(a: base; b: mine\)"):
        compare_runs(
            made("a", curves(rows)), made("b", curves(rows, "mine"), candidates=[{"kind": "base", "name": "mine"}])
        )
    shorter = {id: [0.8] * 4 for id in SOLVERS}
    with pytest.raises(InputError, match="no person with the same replicate and number of turns"):
        compare_runs(made("a", curves(rows)), made("b", curves(shorter)))


def test_unlike_instruments_are_refused_by_name() -> None:
    rows = {id: [0.8] * 8 for id in SOLVERS}
    one = made("a", curves(rows))
    played = {"kind": "model", "name": "small", "model": "micro"}
    others = {
        r"simulator: \[.*embedded.*\] in a, .*small.* in b": made("b", curves(rows), users=["embedded", played]),
        r"rater: linear 1, scale expressed in a, linear 2": replace(
            one, raters=[PRIMARY.model_copy(update={"version": "2"})]
        ),
        r"pattern of bug_hunt: solver \(0.0, 0.0, 0.0\) in a, solver \(1.0": replace(
            one, plan=replace(one.plan, patterns={**one.plan.patterns, "solver": make_pattern("solver", (1, 0, 0))})
        ),
        "users may leave: false in a, true": made("b", curves(rows), leave=True),
        "gate: absent in a, 7": replace(one, provenance={"inputs": {"gate": "7"}}),
        "feeler: absent in a, .*formula": replace(one, meta={"study": '{"feeler": "formula"}'}),
    }
    for words, other in others.items():
        with pytest.raises(InputError, match=words) as caught:
            compare_runs(one, other)
        assert len(str(caught.value).splitlines()) <= 5  # the part that differs, and no other
        assert "--replay" in str(caught.value)


def test_recorded_runs_from_their_folders(tmp_path: Path) -> None:
    first = record_run(tmp_path / "a")
    second = record_run(tmp_path / "b", candidates=("base",), seed=5)
    compared = compare_folders(first, second)
    assert {each.candidate for each in compared.differences} == {"base"}
    assert {each.difference.mean for each in compared.differences} == {0.0}  # the same seed, the same words
    assert compared.notes == [f"3 conversations only in {first} (system_prompt): left out"]
    assert read_recorded_run(first).raters[0].name == "linear"
