"""``holdfast compare``: the table, the JSON, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.personas.loading import library
from holdfast.simulator.cli.main import run_command
from tests.simulator.recorded import record_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same people with other random numbers."""
    out = tmp_path_factory.mktemp("runs")
    people = {"ids": tuple(library())[:6]}
    return tuple(record_run(out / name, seed=seed, personas=people, turns=4) for name, seed in (("a", 1), ("b", 2)))


def test_the_table_names_each_figure_with_its_limits(runs: tuple[Path, Path], capsys) -> None:
    assert run_command(["compare", *map(str, runs)]) == 0
    said = capsys.readouterr().out
    for name in ("base", "system_prompt"):
        for figure in ("adherence", "retention", "area"):
            (row,) = [line for line in said.splitlines() if line.startswith(name) and f" {figure} " in line]
            assert "[" in row
    assert "the runs have other seeds (1, 2)" in said


def test_json_has_the_same(runs: tuple[Path, Path], capsys) -> None:
    assert run_command(["compare", *map(str, runs), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert [row["metric"] for row in compared["differences"]] == ["adherence", "retention", "area"] * 2
    first = compared["differences"][0]
    assert first["difference"]["mean"] == pytest.approx(first["second"] - first["first"])
    assert first["people"] == 6


def test_too_few_people_and_what_is_no_run(runs: tuple[Path, Path], tmp_path: Path, capsys) -> None:
    few = [str(record_run(tmp_path / name)) for name in "ab"]
    assert run_command(["compare", *few]) == 0
    assert "+0.00 (3 people: cannot be tested)" in capsys.readouterr().out
    assert run_command(["compare", few[0], str(tmp_path / "nothing")]) == 2
    assert "nothing" in capsys.readouterr().err
