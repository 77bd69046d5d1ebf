"""A new kind of candidate, as ARCHITECTURE.md says: one file (here its two classes), one line, one test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

from holdfast.agents import registry
from holdfast.agents.assistants.candidates import ask
from holdfast.agents.assistants.specs import CandidateSpec
from holdfast.agents.protocols import AssistantView, ChatModel, Reply, Sampling
from holdfast.simulator.runtime.pipeline import report
from tests.agents.assistants.test_contract import CandidateContract
from tests.simulator.recorded import record_run


class PoliteSpec(CandidateSpec):
    """Says please."""

    kind: Literal["polite"] = "polite"
    word: str = "Please:"


@dataclass(frozen=True, slots=True)
class Polite:
    """The model, with a word before each reply."""

    model: ChatModel
    name: str
    word: str
    knows_task: bool = False

    @property
    def prompt_hashes(self) -> dict[str, str]:
        return {}

    async def reply(self, view: AssistantView) -> Reply:
        answer = await ask(self.model, view, Sampling())
        return replace(answer, text=f"{self.word} {answer.text}")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line; undone afterwards, so that other tests see the shipped kinds only."""
    monkeypatch.setattr(registry._KINDS, "entries", dict(registry._KINDS.entries))
    registry.register("polite", PoliteSpec, lambda spec, shop: Polite(shop.model(spec.model), spec.name, spec.word))


class TestPolite(CandidateContract):
    spec = "polite"


def test_a_study_holds_it_and_its_results_name_it(tmp_path: Path) -> None:
    out = record_run(tmp_path / "run", candidates=["base", {"kind": "polite", "word": "Pray:"}], turns=4)
    results = report(out)
    assert {name: part.kind for name, part in results.candidates.items()} == {"base": "base", "polite": "polite"}
    assert (results.candidates["polite"].title, results.candidates["polite"].trained) == ("the polite", False)
    assert "Pray: " in (out / "report.html").read_text(encoding="utf-8")
