"""A study on each family of chat templates: held with the prompt in it, folded, or refused with its cause."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast import Study
from holdfast.core.errors import InputError
from tests.agents.models.local.template_families import FAMILIES, build_family

NO_SYSTEM = {"gemma-2": "no system role here", "phi-3": "drops the system message"}


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {name: build_family(name, root / name) for name in FAMILIES}


def study(folder: Path, base: Path, **model: Any) -> Study:
    fields = {
        "model": {"ref": f"hf:{base}", "dtype": "float64", **model},
        "personas": {"ids": ["jun_park"]},
        "turns": 3,
        "sampling": {"max_tokens": 4},
        "candidates": ["base", "system_prompt"],
    }
    file = folder / "study.yaml"
    file.write_text(json.dumps(fields), encoding="utf-8")
    return Study.from_yaml(file)


def prompt_tokens(held: Study, out: Path) -> dict[str, tuple[int, ...]]:
    """The tokens that each candidate's model read, turn by turn."""
    talks = list(held.run(out).episodes())
    assert {talk.error for talk in talks} == {None}
    return {talk.spec.candidate: tuple(turn.tokens[0] for turn in talk.turns) for talk in talks}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_prompt_arrives_or_is_refused(name: str, families: dict[str, Path], tmp_path: Path) -> None:
    held = study(tmp_path, families[name])
    if name in NO_SYSTEM:
        with pytest.raises(InputError, match=NO_SYSTEM[name]) as caught:
            held.run(tmp_path / "out")
        assert "Write 'system: fold' at the model, which puts system messages into the user's" in str(caught.value)
        assert not (tmp_path / "out").exists()
        held = study(tmp_path, families[name], system="fold")
    read = prompt_tokens(held, tmp_path / "out")
    assert all(ours > bare for bare, ours in zip(read["base"], read["system_prompt"], strict=True))


def test_what_a_template_does_stands_in_the_results(families: dict[str, Path], tmp_path: Path) -> None:
    run = study(tmp_path, families["llama-3"], date="2024-07-26").run(tmp_path / "out")
    reference = f"hf:{families['llama-3']}"
    known = run.results.provenance["templates"][reference]
    assert known["date that the template is told"] == "2024-07-26"
    added = known["system prompt that the template adds beside one of ours"]
    assert added == "Knowledge ends: December 2023 Today is: 26 Jul 2024"
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert added in page
    assert "a reply ends with" in page
