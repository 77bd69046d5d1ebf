"""Real models play users: they are far too small for it, and that must be handled and counted, never be a crash."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from transformers import LlamaConfig

from holdfast.adapters.micro import base_path
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import SENSE7
from holdfast.agents.users.llm.agent import ModelUser
from holdfast.agents.users.llm.guards import DraftMessage, fault_of
from holdfast.agents.users.llm.memory import Memory
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.agents.users.state import state_to_json
from holdfast.core.errors import ModelError
from holdfast.personas.schema import Persona
from tests.agents.models.conftest import COMMON, build_model
from tests.agents.users.test_contract import Turn, hold

TURNS = 3


@pytest.fixture(scope="module")
def micro() -> LocalChatModel:
    return LocalChatModel.load(base_path(), dtype="float64")


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> LocalChatModel:
    config = LlamaConfig(**(COMMON | {"max_position_embeddings": 4096}))
    return LocalChatModel.load(build_model(config, tmp_path_factory.mktemp("random")))


async def two_at_once(persona: Persona, model: LocalChatModel, answer_tokens: int = 64) -> list[list[Turn]]:
    users = [ModelUser(persona, model, f"c/{number}", retries=1, answer_tokens=answer_tokens) for number in (1, 2)]
    return await asyncio.gather(*(hold(user, turns=TURNS) for user in users))


@pytest.mark.parametrize("which", ["micro", "random_weights"])
async def test_a_conversation_stands_on_its_feet(which: str, ada: Persona, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(which)
    one, other = await two_at_once(ada, model)
    assert [spoken.text for spoken, _, _ in one] == [spoken.text for spoken, _, _ in other], "same seed, same words"
    assert json.dumps(state_to_json(one[-1][2].state)) == json.dumps(state_to_json(other[-1][2].state))
    counts = Memory.of(one[-1][2].state).counts
    # Neither can write JSON: every judgement is the formulas', after one repair each.
    assert counts["judgements"] == counts["stand_in_judgements"] == TURNS
    assert "repaired" not in counts
    # Whatever words are the model's own passed the checks; the others are counted.
    assert counts["messages"] == TURNS
    assert counts["refused"] >= 2 * counts.get("stand_in_messages", 0)
    for spoken, _, felt in one:
        assert tuple(felt.dimensions) == SENSE7
        line = DraftMessage(
            spoken.text, spoken.text, ada, spoken.said, mentioned=frozenset((*ada.topics, "the slide deck"))
        )
        assert fault_of(line) is None
    assert counts["prompt_tokens"] > 500 * counts["messages"]
    # It has only ever been the assistant, or nothing: what was refused to the end is the embedded user's.
    assert counts["stand_in_messages"] > 0
    stand_ins = await hold(EmbeddedUser(ada), turns=TURNS)
    same = sum(ours[0].text == theirs[0].text for ours, theirs in zip(one, stand_ins, strict=True))
    assert same >= counts["stand_in_messages"]


async def test_a_model_with_too_little_room_says_so(tmp_path: Path, ada: Persona) -> None:
    small = LocalChatModel.load(build_model(LlamaConfig(**COMMON), tmp_path / "small"))  # 512 tokens
    long = ada.model_copy(update={"background": "long " * 399})
    with pytest.raises(ModelError, match="reads 512 at most"):
        await hold(ModelUser(long, small, "c"), turns=1)
