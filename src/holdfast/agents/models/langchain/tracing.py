"""A model whose calls ordinary LangChain callback handlers see: tracers, LangSmith, token counters.

LangGraph passes the callbacks of the running node in a context variable; without any, a call costs one look at it. A
model that is itself a LangChain model shows its own calls, and must not be wrapped.
"""

from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import AsyncCallbackManager
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables.config import var_child_runnable_config

from holdfast.agents.models.langchain.model import as_answer, as_langchain
from holdfast.agents.protocols import ChatModel, Generation, GenerationRequest, held_to_schemas


@dataclass(frozen=True, slots=True)
class Traced:
    """``model``, whose calls the callbacks of the surrounding LangChain run see."""

    model: ChatModel

    @property
    def id(self) -> str:
        return self.model.id

    @property
    def keeps_schemas(self) -> bool:
        return held_to_schemas(self.model)

    async def generate(self, request: GenerationRequest) -> Generation:
        callbacks = (var_child_runnable_config.get() or {}).get("callbacks")
        if not isinstance(callbacks, AsyncCallbackManager) or not callbacks.handlers:
            return await self.model.generate(request)
        (run,) = await callbacks.on_chat_model_start(
            {
                "name": self.model.id,
                "kwargs": {},
                "lc": 1,
                "type": "not_implemented",
                "id": ["holdfast", self.model.id],
            },
            [as_langchain(request.messages)],
            invocation_params=_parameters(self.model.id, request),
            name=self.model.id,
        )
        try:
            made = await self.model.generate(request)
        except BaseException as error:
            await run.on_llm_error(error)
            raise
        await run.on_llm_end(as_result(made))
        return made


def as_result(made: Generation) -> LLMResult:
    """What a handler is told at the end of a call: the text and its tokens."""
    message = as_answer(made)
    return LLMResult(
        generations=[[ChatGeneration(message=message)]], llm_output={"token_usage": message.usage_metadata}
    )


def _parameters(model: str, request: GenerationRequest) -> dict[str, Any]:
    sampling = request.sampling
    return {
        "model": model,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "seed": request.seed,
        **({} if request.adapter is None else {"adapter": request.adapter}),
    }
