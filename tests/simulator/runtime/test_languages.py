"""A study whose people speak what its first rater or its feeler cannot read is refused before it starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast import Study
from holdfast.core.errors import InputError
from tests.agents.users.rules.test_languages import ROSA
from tests.servers.openai_server import ScriptedServer
from tests.servers.threaded import running


def study(folder: Path, **more: Any) -> Study:
    (folder / "rosa.yaml").write_text(ROSA.model_dump_json(exclude={"story"}), encoding="utf-8")
    fields = {"turns": 2, "personas": {"files": ["rosa.yaml"]}, "candidates": ["base"], "sampling": {"max_tokens": 8}}
    (folder / "study.yaml").write_text(json.dumps(fields | more), encoding="utf-8")
    return Study.from_yaml(folder / "study.yaml")


def test_a_rater_of_another_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        study(tmp_path).run(tmp_path / "out")
    assert str(caught.value) == (
        "persona 'rosa' speaks es, and the first rater, linear, knows en: every reply would be unrated. Name a chat "
        "model that reads it: raters: [{kind: judge, model: …}]"
    )
    assert not (tmp_path / "out").exists()


def test_so_is_a_feeler(tmp_path: Path) -> None:
    with running(ScriptedServer()) as server:
        judge = {"kind": "judge", "model": {"ref": "openai:m", "base_url": server.base_url}}
        with pytest.raises(InputError, match=r"speaks es, and the feeler, .*, knows en"):
            study(tmp_path, raters=[judge]).run(tmp_path / "out")
