"""The quickstart's study for real: experts hold, prompts let go, replies name what was just said. Minutes long."""

from __future__ import annotations

import random
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from holdfast import Study
from holdfast.adapters.micro.lexicon import load_lexicon
from holdfast.agents.registry import parse
from holdfast.personas.loading import library
from holdfast.simulator.config.study import PersonaChoice, StudyConfig
from holdfast.simulator.config.study_file import load_study
from holdfast.simulator.results.model import Results

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def study() -> StudyConfig:
    return load_study(Path(str(files("holdfast.simulator.config") / "quickstart.yaml")))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    out = tmp_path_factory.mktemp("quickstart") / "run"
    return out, Study(study()).run(out).results


def test_prompts_let_go_and_experts_hold(run: tuple[Path, Results]) -> None:
    candidates = run[1].candidates
    base, prompt, routed = (candidates[name] for name in ("base", "system_prompt", "routed"))
    assert prompt.adherence_first_two_turns.mean > base.adherence_first_two_turns.mean
    assert prompt.retention.hi < 0.9
    assert candidates["oracle"].retention.lo > 0.95
    assert routed.retention.lo > 0.9
    assert routed.adherence_last_quarter.lo > prompt.adherence_last_quarter.hi


def test_experts_name_what_was_just_said(run: tuple[Path, Results]) -> None:
    named = run[1].candidates["routed"].naming
    assert named.mean >= 0.8
    assert named.n > 100
    assert named.topic.mean >= 0.8
    assert named.feeling.mean >= 0.4  # a reply names the topic or the feeling; most wordings take the topic


def test_experts_say_nothing_by_heart(run: tuple[Path, Results]) -> None:
    """Whole replies, names aside; of sentences about half still stand in training."""
    assert max(run[1].verbatim_replies[name].mean for name in ("routed", "oracle")) < 0.1
    assert run[1].verbatim["routed"].mean < 0.7


def test_experts_name_topics_of_words_that_were_never_in_training(run: tuple[Path, Results], tmp_path: Path) -> None:
    rng = random.Random(0)
    for persona in library().values():
        if persona.desired_empathy > 1 and persona.id.endswith(tuple("aeiourn")):
            raw = persona.model_dump(mode="json", exclude_none=True)
            raw["topics"] = sorted({load_lexicon().held_out_topic(rng) for _ in range(6)})
            raw["goals"] = [{**goal, "topic": load_lexicon().held_out_topic(rng)} for goal in raw["goals"]]
            (tmp_path / f"{persona.id}.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    assert len(list(tmp_path.glob("*.yaml"))) >= 4
    fresh = study().model_copy(
        update={
            "training": None,
            "adapters": str(run[0] / "adapters"),
            "personas": PersonaChoice(files=(str(tmp_path),)),
            "candidates": (parse("base"), parse("oracle")),
            "turns": 12,
        }
    )
    named = Study(fresh).run(tmp_path / "run").results.candidates["oracle"].naming
    assert named.topic.mean >= 0.6  # the topic itself, its two words word for word
    assert named.topic.n > 100


def test_the_same_seed_gives_the_same_transcripts_whatever_the_batch(run: tuple[Path, Results], tmp_path: Path) -> None:
    again = study().model_copy(
        update={"training": None, "adapters": str(run[0] / "adapters"), "turns": 4, "replicates": 1}
    )
    hashes = {
        Study(again.model_copy(update={"batch_size": size})).run(tmp_path / str(size)).results.transcripts_sha256
        for size in (1, 32)
    }
    assert len(hashes) == 1
