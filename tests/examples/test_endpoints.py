"""Every YAML of the endpoint pages is a study that resolves, and what the pages name is there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from holdfast.agents.models.opening import open_models
from holdfast.agents.models.references import AwayReference, EndpointReference, resolve_model
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.simulator.config.plan import resolve as plan
from holdfast.simulator.config.study_file import load_study

FOLDER = Path(__file__).parents[2] / "examples" / "endpoints"
STUDIES = sorted(FOLDER.glob("*.yaml"))
PAGES = sorted(FOLDER.glob("*.md"))


def test_there_are_a_page_and_a_study_for_each_way() -> None:
    named = {"all_served.yaml", "local_gpu.yaml", "study.yaml", "transformers_serve.yaml", "vllm.yaml"}
    assert {path.name for path in STUDIES} == named
    assert {path.name for path in PAGES} == {"README.md", "local_gpu.md", "openai.md", "vllm.md"}


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_the_study_resolves_and_its_model_is_found(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = shutil.copytree(FOLDER, tmp_path / "examples" / "endpoints")
    (tmp_path / "runs" / "quickstart" / "adapters").mkdir(parents=True)  # that a study names
    study = load_study(here / path.name)
    assert plan(study).episodes
    monkeypatch.chdir(tmp_path)
    reference = resolve_model(study.model, Path("micro"))
    assert isinstance(reference, EndpointReference | AwayReference)
    if isinstance(reference, EndpointReference):
        (model,) = open_models({study.model: reference}).values()
        assert isinstance(model, ServedChatModel)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_starts_from_a_study_and_its_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    assert any(link.endswith(".yaml") for link in links)
    assert [link for link in links if not (FOLDER / link).exists()] == []
