"""A model of ours lent to what speaks LangChain: judges ask it as they ask any provider's."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from holdfast.agents.models.langchain.model import as_answer
from holdfast.agents.prompts import sha256
from holdfast.agents.protocols import ChatModel, GenerationRequest, Message, Role, Sampling
from holdfast.core.seeds import derive_seed
from holdfast.core.errors import ModelError

_ROLES: dict[str, Role] = {"system": "system", "human": "user", "ai": "assistant"}


class LentChatModel(BaseChatModel):
    """LangChain's chat model over any :class:`holdfast.agents.protocols.ChatModel`. It knows no structured output and no tools.

    A sample is seeded by its messages and by how often they were sent before, so the same questions in the same order
    get the same answers, and one question asked twice gets two. Requests that begin with the same two messages share a
    conversation of the model's cache: a question, and the same question with a repair after it.
    """

    lender: Any  # a ChatModel; pydantic would want a class
    sampling: Sampling = Sampling()
    _sent: Counter[str] = PrivateAttr(default_factory=Counter)

    @property
    def _llm_type(self) -> str:
        return "holdfast"

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, *_: Any, **__: Any) -> ChatResult:
        return asyncio.run(self._agenerate(messages, stop))

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, *_: Any, **__: Any
    ) -> ChatResult:
        """:raises ModelError: see :meth:`holdfast.agents.protocols.ChatModel.generate`; stop words or a tool's message too."""
        if stop:
            raise ModelError("a model of this process takes no stop words")
        request = self._request(_ours(messages))
        made = await cast(ChatModel, self.lender).generate(request)
        return ChatResult(generations=[ChatGeneration(message=as_answer(made))])

    def _request(self, messages: tuple[Message, ...]) -> GenerationRequest:
        asked = _digest(messages)
        before = self._sent[asked]
        self._sent[asked] += 1
        return GenerationRequest(
            f"lent/{_digest(messages[:2])[:12]}", messages, derive_seed("lent", asked, before), sampling=self.sampling
        )


def _ours(messages: Sequence[BaseMessage]) -> tuple[Message, ...]:
    odd = next((message.type for message in messages if message.type not in _ROLES), None)
    if odd is not None:
        raise ModelError(f"a model of this process reads messages of system, human and ai, not of {odd}")
    return tuple(Message(_ROLES[message.type], str(message.text)) for message in messages)


def _digest(messages: Sequence[Message]) -> str:
    return sha256("\x1e".join(f"{message.role}\x1f{message.content}" for message in messages))
