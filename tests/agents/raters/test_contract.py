"""What every rater promises: one rating a passage, on its scale or missing for a reason, whatever stands beside."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from holdfast.adapters.config import RewardTraining
from holdfast.adapters.training.reward_model import RewardJob, train_reward
from holdfast.agents.protocols import Message
from holdfast.agents.raters.coalescing import CoalescingRater
from holdfast.agents.raters.dialogue.encoder import encoder_part
from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.dialogue.recipes import recipe_for
from holdfast.agents.raters.encoder.rater import EncoderRater
from holdfast.agents.raters.felt.rater import PeopleFeeler
from holdfast.agents.raters.judge.rater import JudgeRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import ACTS, NO_REPLY, Passage, Rater
from holdfast.agents.raters.reward import RewardRater
from holdfast.simulator.validation.making import make
from tests.adapters.dialogues.test_preferences import pair
from tests.adapters.standins import build_base
from tests.agents.raters.conftest import minilm_folder
from tests.agents.raters.dialogue.test_encoder import build_encoder, chats
from tests.agents.raters.judge.judge_server import Asked, serve
from tests.passages import exchange

WARM = "I'm so sorry, that must be hard. What happened?"


def talk(*texts: str, whole: bool = False) -> Passage:
    """User and assistant by turns, the user first."""
    roles = ("user", "assistant")
    return Passage(tuple(Message(roles[n % 2], text) for n, text in enumerate(texts)), whole)  # type: ignore[arg-type]


RATED = [
    exchange("I lost my job.", WARM),
    talk("I lost my job.", WARM, "I am scared of it.", "ok . what do you mean ?"),
    talk("I lost my job.", WARM, "I am scared of it.", "ok . what do you mean ?", whole=True),
    exchange("", "Hm."),
    exchange("\u7121 \U0001f600 \x00", "word " * 300),
    Passage((Message("assistant", "Hello."),)),
]
WITHOUT_REPLY = [
    Passage(()),
    Passage((Message("user", "hello?"),)),
    Passage((Message("user", "hello?"),), whole=True),
    exchange("hello?", ""),
    talk("I lost my job.", WARM, "I am scared of it.", " \n"),  # the reply before it is not rated in its place
    talk("I lost my job.", "", "hello?", "", whole=True),
]


def _encoder(folder: Path) -> Rater:
    labelled = chats()
    part = encoder_part(str(build_encoder(folder / "encoder")), 32)
    make(recipe_for("perceived", len(labelled.passages), encoder=part), labelled, folder / "rater")
    return FittedRater(folder / "rater")


def _shipped_encoder(_: Path) -> Rater:
    minilm_folder()
    return EncoderRater()


def _reward(folder: Path) -> Rater:
    base = build_base(folder / "base")
    pairs = [pair(name, "so sorry .", "find the bug .") for name in "abcd"]
    train_reward(RewardJob(base, "tiny", folder / "reward", 3), RewardTraining(steps=2, batch_size=4, threads=1), pairs)
    return RewardRater.load(folder / "reward", base)


MADE: dict[str, Callable[[Path], Rater]] = {
    "linear": lambda _: LinearRater(),
    "perceived": lambda _: FittedRater(SHIPPED_PERCEIVED),
    "felt": lambda _: PeopleFeeler(),
    "coalescing": lambda _: CoalescingRater(LinearRater()),
    "encoder": _shipped_encoder,
    "encoder of dialogues": _encoder,
    "reward": _reward,
}


def answer(asked: Asked) -> str:
    """By the conversation, so that a mix-up shows; a very long reply is answered with nonsense."""
    said = asked.conversation[-1]["text"]
    return "?" if len(said) > 500 else asked.valid(1 + len(said) % 3)


@pytest.fixture(params=[*MADE, "judge"], scope="module")
def rater(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rater]:
    if request.param == "judge":
        with serve(answer) as server:
            yield JudgeRater(server.model, ACTS, "scripted", samples=2)
    else:
        yield MADE[request.param](tmp_path_factory.mktemp(request.param))


def rate(rater: Rater, passages: Sequence[Passage]) -> list[tuple[dict[str, float], str | None]]:
    """Values and why there are none; rounded, because encoders round by the shape of a batch."""
    ratings = asyncio.run(rater.rate(passages))
    return [({name: round(value, 4) for name, value in one.values.items()}, one.missing) for one in ratings]


def test_it_says_who_it_is_and_on_which_scale(rater: Rater) -> None:
    assert rater.identity == rater.identity
    assert rater.identity.id
    assert rater.identity.version
    assert rater.scale.low < rater.scale.high
    assert rater.scale.dimensions


def test_values_lie_on_the_scale_or_are_missing_for_a_reason(rater: Rater) -> None:
    ratings = asyncio.run(rater.rate(RATED))
    assert len(ratings) == len(RATED)
    for rating in ratings:
        assert bool(rating.values) == (rating.missing is None)
        assert set(rating.values) <= set(rater.scale.dimensions)
        assert all(rater.scale.low <= value <= rater.scale.high for value in rating.values.values())
        assert all(math.isnan(value) for value in rating.levels(rater.scale.dimensions)) == bool(rating.missing)
    assert ratings[0].missing is None


def test_where_there_is_no_reply_the_rating_says_so(rater: Rater) -> None:
    assert rate(rater, WITHOUT_REPLY) == [({}, NO_REPLY)] * len(WITHOUT_REPLY)
    assert rate(rater, []) == []


def test_silence_within_a_dialogue_lowers_no_rating(rater: Rater) -> None:
    ((values, missing),) = rate(rater, [talk("I lost my job.", "", "hello?", WARM, whole=True)])
    assert missing is None
    if isinstance(rater, LinearRater | EncoderRater | FittedRater):
        assert rate(rater, [talk("I lost my job.\nhello?", WARM, whole=True)]) == [(values, None)]


def test_a_rating_depends_on_its_passage_alone(rater: Rater) -> None:
    together = rate(rater, [*RATED, *WITHOUT_REPLY])
    assert together == rate(rater, [*RATED, *WITHOUT_REPLY])
    assert together == [rate(rater, [passage])[0] for passage in [*RATED, *WITHOUT_REPLY]]
    assert together[::-1] == rate(rater, [*RATED, *WITHOUT_REPLY][::-1])


def test_a_whole_dialogue_may_be_asked_for(rater: Rater) -> None:
    (_, missing), (_, also) = rate(rater, RATED[1:3])
    assert (missing, also) == (None, None)
