"""Any chat model that LangChain's ``init_chat_model`` knows, behind holdfast's one-method protocol."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from pydantic import SecretStr

from holdfast.agents.message_content import repaired
from holdfast.agents.models.generations import without_key
from holdfast.agents.models.history import without_silence
from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.langchain.structured import SchemaSupport, as_generation, status_of
from holdfast.agents.models.served.failures import EndpointError
from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling
from holdfast.core.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.language_models import BaseChatModel

_CLASSES: dict[str, type[BaseMessage]] = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


@dataclass(frozen=True)
class LangChainChatModel:
    """A chat model over ``make(temperature=…, max_tokens=…)``, called once per sampling.

    ``key``: taken out of answers and errors. Retries are LangChain's own. Seeds are not passed on: few providers take
    them, so a resumed run says other words.
    """

    name: str
    make: Callable[..., BaseChatModel]
    settings: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    key: ApiKey = field(default_factory=ApiKey)
    _made: dict[Sampling, BaseChatModel] = field(default_factory=dict, init=False, repr=False, compare=False)
    _schemas: SchemaSupport = field(default_factory=SchemaSupport, init=False, repr=False, compare=False)

    @property
    def id(self) -> str:
        return self.name

    def counters(self) -> Mapping[str, float]:
        """See :class:`holdfast.agents.models.usage.Usage`."""
        return self.usage.counters()

    async def generate(self, request: GenerationRequest) -> Generation:
        """Ask for the next assistant message. Raises EndpointError with whatever the provider's package raised."""
        if request.adapter is not None:
            raise ModelError(
                f"{self.name} speaks through LangChain, which knows no adapters (here {request.adapter!r})"
            )
        self.usage.requests += 1
        try:
            model, messages = self._model(request.sampling), as_langchain(without_silence(request.messages))
            if request.schema is None:
                made = as_generation(await model.ainvoke(messages))
            else:
                made = await self._schemas.ask(model, messages, request.schema)
        except Exception as error:  # every provider's package has errors of its own
            self.usage.failed += 1
            message = f"{self.name}: {type(error).__name__}: {self.key.clean(str(error))}"
            raise EndpointError(message, status_of(error) or type(error).__name__) from None
        self.usage.answer(made)
        return without_key(made, self.key)

    def _model(self, sampling: Sampling) -> BaseChatModel:
        if sampling not in self._made:
            settings = {"temperature": sampling.temperature, "max_tokens": sampling.max_tokens, **self.settings}
            if sampling.top_p < 1:
                settings["top_p"] = sampling.top_p
            try:
                self._made[sampling] = self.make(**settings)
            except ImportError as error:
                needs = "it needs pip install 'holdfast[langchain]' and the provider's own package"
                raise InputError(f"{self.name}: {needs} ({self.key.clean(str(error))})") from None
            except Exception as error:  # a missing key, a model that the provider does not know
                raise InputError(f"{self.name} cannot be made: {self.key.clean(str(error))}") from None
        return self._made[sampling]


def open_langchain(name: str, settings: Mapping[str, Any], usage: Usage, key_env: str | None) -> LangChainChatModel:
    """The model that ``init_chat_model(name)`` gives.

    It is made once here, so that what is missing is told before a study begins. ``key_env``: the variable with its key;
    None: the provider's own, which its package reads by itself.

    Raises:
        InputError: A package (``langchain``, the provider's) or a key is missing, or LangChain knows no such model.
    """
    if importlib.util.find_spec("langchain") is None:
        raise InputError(
            f"{name} is reached through LangChain, which is not installed: pip install 'holdfast[langchain]'"
        )
    from langchain.chat_models import init_chat_model

    key = ApiKey(key_env or f"{name.partition(':')[0].upper()}_API_KEY")
    if key_env is not None:
        settings = {**settings, "api_key": SecretStr(key.reveal())}
    model = LangChainChatModel(name, lambda **more: init_chat_model(name, **more), settings, usage, key)
    model._model(Sampling())
    return model


def as_answer(made: Generation) -> AIMessage:
    """An answer of ours as LangChain's: the text, its thoughts and tokens, and why it ended."""
    usage = UsageMetadata(
        input_tokens=made.prompt_tokens,
        output_tokens=made.completion_tokens,
        total_tokens=made.prompt_tokens + made.completion_tokens,
    )
    return AIMessage(
        content=made.text,
        additional_kwargs={"reasoning_content": made.thoughts} if made.thoughts else {},
        usage_metadata=usage,
        response_metadata={"finish_reason": made.finish_reason, "outcome": made.outcome},
    )


def as_langchain(messages: tuple[Message, ...]) -> list[BaseMessage]:
    """The same messages as LangChain names them."""
    return [_CLASSES[message.role](content=repaired(message.content)) for message in messages]
