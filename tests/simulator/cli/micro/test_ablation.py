"""The recipe ablation: its study is the same whatever the base, and the shipped table is one that it wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.adapters.micro import ablation, base_path
from holdfast.adapters.micro.recipes import RECIPES
from holdfast.simulator.cli.micro.ablation import measure_recipe, study_on


def test_nothing_but_the_base_differs(tmp_path: Path) -> None:
    one, two = study_on(base_path()), study_on(tmp_path)
    assert one.model != two.model
    assert one.model_copy(update={"model": two.model}) == two
    assert one.model.dtype == "float64"


def test_the_shipped_table_says_what_the_readme_says() -> None:
    rows = ablation()
    assert rows is not None
    assert {row["recipe"] for row in rows} == set(RECIPES)
    before = {row["recipe"]: row["retention"] for row in rows if row["world"] == "before it grew"}
    now = {row["recipe"]: row["retention"] for row in rows if row["world"] != "before it grew"}
    assert before["cue"]["hi"] < 0.85 < before["constant"]["lo"]
    assert now["cue"]["hi"] < now["long_prompted"]["lo"]  # the same world, trained on with longer prompts


@pytest.mark.slow
async def test_the_shipped_base_gives_its_row_again(tmp_path: Path) -> None:
    rows = [row for row in ablation() or () if row["recipe"] == "cue" and row.get("world") != "before it grew"]
    if not rows:
        pytest.skip("the table was measured before the world grew")
    measured = await measure_recipe("cue", base_path(), tmp_path / "run")
    assert {"world": rows[0].get("world"), **measured} == {"world": None, **rows[0]}
