"""Silence in a conversation that goes to an endpoint: no empty message, no two of one speaker in a row."""

from typing import Any

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import BaseMessage

from holdfast.agents.models.history import folded, without_silence
from holdfast.agents.models.langchain.model import LangChainChatModel
from holdfast.agents.models.served.endpoint import Endpoint
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.protocols import GenerationRequest, Message
from tests.servers.openai_server import ScriptedServer

TALK = (Message("user", "Hello?"), Message("assistant", ""), Message("user", "Anyone?"))


def test_messages_around_silence_become_one() -> None:
    system, hello, hm = Message("system", "Be kind."), Message("user", "Hello?"), Message("assistant", "Hm.")
    assert without_silence([system, hello, hm, hello]) == (system, hello, hm, hello)
    silence = Message("assistant", " \n")
    talk = [system, hello, silence, Message("user", "Anyone?"), silence, Message("user", "Bye.")]
    assert without_silence(talk) == (system, Message("user", "Hello?\n\nAnyone?\n\nBye."))
    assert without_silence([hello, hm, hello, silence]) == (hello, hm, hello)


async def test_no_endpoint_is_sent_an_empty_reply() -> None:
    async with ScriptedServer(keep=True) as server:
        await ServedChatModel(Endpoint(server.base_url), "m").generate(GenerationRequest("c", TALK, 1))
        (body,) = server.requests
    assert body["messages"] == [{"role": "user", "content": "Hello?\n\nAnyone?"}]


async def test_nor_is_a_provider_through_langchain() -> None:
    seen = []

    class Listening(FakeListChatModel):
        def _call(self, messages: list[BaseMessage], *args: Any, **settings: Any) -> str:
            seen.extend(messages)
            return super()._call(messages, *args, **settings)

    model = LangChainChatModel("fake:m", lambda **_: Listening(responses=["Yes."]))
    await model.generate(GenerationRequest("c", TALK, 1))
    assert [message.content for message in seen] == ["Hello?\n\nAnyone?"]


def test_a_system_message_stands_in_the_users_next_message() -> None:
    system, hello, hm = Message("system", "Be kind."), Message("user", "Hello?"), Message("assistant", "Hm.")
    assert folded([hello, hm, hello]) == (hello, hm, hello)
    assert folded([system, system, hello, hm]) == (Message("user", "Be kind.\n\nBe kind.\n\nHello?"), hm)
    assert folded([hello, hm, system, hello]) == (hello, hm, Message("user", "Be kind.\n\nHello?"))
    assert folded([hello, system]) == (Message("user", "Hello?\n\nBe kind."),)
    assert folded([hello, hm, system]) == (hello, hm, Message("user", "Be kind."))
    assert folded([]) == ()


async def test_an_endpoint_is_sent_folded_messages_where_the_study_says_so() -> None:
    async with ScriptedServer(keep=True) as server:
        model = ServedChatModel(Endpoint(server.base_url), "m", fold=True)
        await model.generate(GenerationRequest("c", (Message("system", "Be kind."), *TALK), 1))
        (body,) = server.requests
    assert body["messages"] == [{"role": "user", "content": "Be kind.\n\nHello?\n\nAnyone?"}]
