"""Choosing among replies: by adherence, by score, past the gate, ties by order; what it takes; who may choose."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from holdfast.agents.assistants.best_of import BestOf, rank
from holdfast.agents.assistants.wanted import WantedPattern
from holdfast.agents.protocols import AssistantView, Generation, GenerationRequest, Message, Reply
from holdfast.agents.raters.gate.rater import GatedRater
from holdfast.agents.raters.judge.rater import JudgeRater
from holdfast.agents.raters.protocol import (
    ACTS,
    EXPRESSED,
    PERCEIVED,
    Passage,
    RaterIdentity,
    Rating,
    Scale,
    expressed,
)
from holdfast.core.errors import InputError
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.runtime.raters import check_raters
from tests.passages import reply_of
from tests.simulator.scripted import PATTERNS

COMPANION = PATTERNS["companion"]  # 2, 1, 1
PREFERRED = Scale("preferred", ("preferred",), 0, 1)


@dataclass
class Drawing:
    """A model whose n-th answer is the n-th of ``texts``."""

    texts: Sequence[str]
    id: str = "drawing"
    requests: list[GenerationRequest] = field(default_factory=list)

    async def generate(self, request: GenerationRequest) -> Generation:
        self.requests.append(request)
        return Generation(self.texts[len(self.requests) - 1], 10, 3)


@dataclass(frozen=True)
class Table:
    """A rater that looks replies up."""

    ratings: dict[str, Rating]
    scale: Scale = EXPRESSED
    identity: RaterIdentity = RaterIdentity("table", "1")

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return [self.ratings[reply_of(passage)] for passage in passages]


def choose(rater: Any, *texts: str) -> tuple[Reply, Drawing]:
    model = Drawing(texts)
    candidate = BestOf(model, "best_of", rater, WantedPattern(PATTERNS, fixed="companion"), len(texts))
    return asyncio.run(candidate.reply(AssistantView("e", 1, (Message("user", "I lost my job."),), 5))), model


def test_the_reply_nearest_to_the_pattern_is_said() -> None:
    ratings = {"a": expressed(0, 0, 0), "b": expressed(2, 1, 1), "c": expressed(2, 2, 2)}
    reply, model = choose(Table(ratings), "a", "b", "c")
    assert reply == Reply("b", None, None, 30, 9, calls=3)
    assert [request.key for request in model.requests] == ["e", "e/draw 2", "e/draw 3"]
    assert model.requests[0].seed == 5


def test_ranks_by_hand() -> None:
    assert rank(expressed(2, 1, 0), COMPANION, EXPRESSED) == (2, pytest.approx(1 - 1 / 6))  # one level of two, of three
    assert rank(replace(expressed(2, 1, 1), disqualified="loop"), COMPANION, EXPRESSED) == (0, 0.0)
    assert rank(Rating(missing="no answer"), COMPANION, EXPRESSED) == (1, 0.0)
    assert rank(Rating({"emotional_reaction": 2.0}), COMPANION, EXPRESSED) == (1, 0.0)
    assert rank(Rating({"preferred": 0.4}), COMPANION, PREFERRED) == (2, 0.4)
    felt = dict(zip(PERCEIVED.dimensions, (1, 2, 3, 4, 5, 5, 1), strict=True))
    assert rank(Rating(felt), COMPANION, PERCEIVED) == (2, 3.0)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("b1", "b2", "a"), "b1"),  # equal: the first drawn
        (("fails", "unrated"), "unrated"),
        (("fails", "unrated", "a"), "a"),
        (("", "fails"), "fails"),
    ],
)
def test_failures_come_last_and_equals_in_order(texts: tuple[str, ...], said: str) -> None:
    ratings = {
        **{"b1": expressed(2, 1, 1), "b2": expressed(2, 1, 1), "a": expressed(0, 2, 0)},
        "fails": replace(expressed(2, 1, 1), disqualified="copy of the reply before"),
        "unrated": Rating(missing="another language"),
    }
    assert choose(Table(ratings), *texts)[0].text == said


def test_nothing_but_silence_is_silence() -> None:
    reply, _ = choose(Table({}), "", "")
    assert (reply.text, reply.calls) == ("", 2)


def test_the_gate_stands_before_the_rater() -> None:
    loop = "I am sorry. " * 9
    ratings = {loop: expressed(2, 1, 1), "Call them.": expressed(0, 0, 0)}
    assert choose(Table(ratings), loop, "Call them.")[0].text == loop
    assert choose(GatedRater(Table(ratings)), loop, "Call them.")[0].text == "Call them."


def test_a_judge_chooses_by_its_scores_and_its_requests_count() -> None:
    @dataclass
    class Judging:
        id: str = "judging"

        async def generate(self, request: GenerationRequest) -> Generation:
            return Generation("no JSON", 100, 7)

    reply, _ = choose(JudgeRater(Judging(), EXPRESSED, "judge"), "a", "b")
    assert reply.text == "a"  # none could be rated
    assert (reply.calls, reply.prompt_tokens, reply.completion_tokens) == (2 + 2 * 2, 20 + 2 * 200, 6 + 2 * 14)


def test_a_scale_without_a_direction_is_refused() -> None:
    with pytest.raises(InputError, match="rates acts, of which more is not better"):
        choose(Table({}, ACTS), "a")


@pytest.mark.parametrize(
    ("candidate", "raters"),
    [
        ({"kind": "best_of", "rater": "linear"}, ["linear"]),
        ({"kind": "best_of", "rater": {"kind": "linear", "name": "another name"}}, ["linear", "linear_peers"]),
        ("best_of", ["linear_peers", "linear"]),
        ({"kind": "best_of", "rater": "openai:judge"}, [{"kind": "judge", "model": "openai:judge", "name": "strict"}]),
    ],
)
def test_who_judges_may_not_choose(candidate: Any, raters: list[Any]) -> None:
    with pytest.raises(InputError, match="who chooses may not judge"):
        check_raters(StudyConfig.model_validate({"candidates": ["base", candidate], "raters": raters}))


@pytest.mark.parametrize(
    ("rater", "feeler"),
    [
        ({"kind": "linear", "scale": "felt"}, "people"),
        ({"kind": "judge", "model": "openai:judge", "scale": "felt"}, {"kind": "model", "model": "openai:judge"}),
    ],
)
def test_who_says_what_was_felt_may_not_choose(rater: Any, feeler: Any) -> None:
    study = {"candidates": ["base", {"kind": "best_of", "rater": rater}], "feeler": feeler}
    with pytest.raises(InputError, match="the study's feeler, which judges them: who chooses may not judge"):
        check_raters(StudyConfig.model_validate(study))
    check_raters(StudyConfig.model_validate(study | {"feeler": "formula"}))


def test_a_witness_may_choose() -> None:
    check_raters(StudyConfig.model_validate({"candidates": ["best_of"], "raters": ["linear", "linear_peers"]}))


def test_undefined_is_no_rank() -> None:
    assert not math.isnan(rank(Rating(), COMPANION, EXPRESSED)[1])
