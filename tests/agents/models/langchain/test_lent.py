"""A model of this process behind LangChain's interface: what it says, how it is seeded, what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from holdfast.agents.models.langchain.lent import LentChatModel
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import ModelError

QUESTION: list[BaseMessage] = [SystemMessage("w1 w2"), HumanMessage("w3 w4 w5")]


@pytest.fixture(scope="module")
def model(llama: Path) -> LocalChatModel:
    return LocalChatModel.load(llama)


def lent(model: LocalChatModel, temperature: float = 0.0) -> LentChatModel:
    return LentChatModel(lender=model, sampling=Sampling(temperature, max_tokens=12))


async def test_it_says_what_the_model_says(model: LocalChatModel) -> None:
    asked = [*QUESTION, AIMessage("w6"), HumanMessage("w7")]
    ours = (Message("system", "w1 w2"), Message("user", "w3 w4 w5"), Message("assistant", "w6"), Message("user", "w7"))
    own = await model.generate(GenerationRequest("own", ours, 0, sampling=Sampling(0.0, max_tokens=12)))
    answer = await lent(model).ainvoke(asked)
    assert answer.text == own.text != ""
    assert answer.usage_metadata == {
        "input_tokens": own.prompt_tokens,
        "output_tokens": own.completion_tokens,
        "total_tokens": own.prompt_tokens + own.completion_tokens,
    }
    assert answer.response_metadata["finish_reason"] == own.finish_reason


def test_it_may_be_asked_outside_any_event_loop(model: LocalChatModel) -> None:
    assert lent(model).invoke(QUESTION).text == lent(model).invoke(QUESTION).text != ""


async def test_one_question_asked_twice_is_drawn_twice_and_the_same_again_in_another_run(model: LocalChatModel) -> None:
    first, second = lent(model, 1.0), lent(model, 1.0)
    said = [(await first.ainvoke(QUESTION)).text for _ in range(3)]
    await second.ainvoke([HumanMessage("w8")])  # another question in between moves nothing
    assert said == [(await second.ainvoke(QUESTION)).text for _ in range(3)]
    assert len(set(said)) == 3


async def test_what_it_cannot_do_it_says(model: LocalChatModel) -> None:
    with pytest.raises(ModelError, match="takes no stop words"):
        await lent(model).ainvoke(QUESTION, stop=["w1"])
    with pytest.raises(ModelError, match="reads messages of system, human and ai, not of tool"):
        await lent(model).ainvoke([*QUESTION, ToolMessage("w1", tool_call_id="1")])
    with pytest.raises(NotImplementedError):  # by which a judge learns that it need send no schema
        lent(model).with_structured_output({"title": "rating", "type": "object", "properties": {}})
