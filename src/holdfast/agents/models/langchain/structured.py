"""Asking a LangChain model for an answer that follows a JSON schema, and reading what comes back as plain text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from holdfast.agents.message_content import MessageContent, read_message
from holdfast.agents.models.generations import generation_of
from holdfast.agents.models.served.failures import NO_SCHEMA
from holdfast.agents.protocols import Generation
from holdfast.core.text import repaired


@dataclass
class SchemaSupport:
    """Whether a model takes JSON schemas; learned from what it refuses."""

    works: bool = True

    async def ask(self, model: BaseChatModel, messages: Sequence[BaseMessage], schema: Mapping[str, Any]) -> Generation:
        """Ask with the schema where the model takes one, else without. The provider's errors pass through."""
        if self.works:
            try:
                return as_structured((await _with_schema(model, schema).ainvoke(list(messages)))["raw"])
            except (NotImplementedError, TypeError):  # this model's class knows no structured output
                self.works = False
            except Exception as error:  # every provider's package has errors of its own
                cut = _cut_off(error)
                if cut is not None:
                    return cut
                if status_of(error) not in NO_SCHEMA:
                    raise
                made = as_generation(await model.ainvoke(list(messages)))
                self.works = False  # it answers without a schema, so the schema was what it refused
                return made
        return as_generation(await model.ainvoke(list(messages)))


def as_generation(message: BaseMessage) -> Generation:
    """Return an answer in words, its thoughts apart, with its tokens and what became of it."""
    return _generation(message, read_message(_fields(message)))


def as_structured(message: BaseMessage) -> Generation:
    """Return an answer under a schema, whether it came as text or as the arguments of a tool."""
    calls = getattr(message, "tool_calls", None)
    if not calls:
        return as_generation(message)
    return _generation(message, MessageContent(repaired(json.dumps(calls[0]["args"]))))


def _fields(message: BaseMessage) -> dict[str, Any]:
    """Return the message as a mapping, as servers give theirs."""
    calls = [*(getattr(message, "tool_calls", None) or ()), *(getattr(message, "invalid_tool_calls", None) or ())]
    more = {name: value for name, value in message.additional_kwargs.items() if name != "tool_calls" or not calls}
    return {**more, "content": message.content, **({"tool_calls": calls} if calls else {})}


def _generation(message: BaseMessage, content: MessageContent) -> Generation:
    usage: Mapping[str, Any] = getattr(message, "usage_metadata", None) or {}
    metadata = message.response_metadata or {}
    reason = metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("done_reason")
    thoughts = (usage.get("output_token_details") or {}).get("reasoning")
    return generation_of(content, reason, usage.get("input_tokens"), usage.get("output_tokens"), thoughts)


def status_of(error: Exception) -> str:
    """The HTTP status inside a provider's error, "" where it has none."""
    return str(getattr(error, "status_code", None) or "")


def _with_schema(model: BaseChatModel, schema: Mapping[str, Any]) -> Any:
    try:
        return model.with_structured_output(dict(schema), method="json_schema", include_raw=True)
    except ValueError:  # a provider with other names for its methods: its own default
        return model.with_structured_output(dict(schema), include_raw=True)


def _cut_off(error: Exception) -> Generation | None:
    """The openai client raises where an answer under a schema met ``max_tokens``: the answer is inside the error."""
    completion = getattr(error, "completion", None)
    try:
        content, usage = read_message({"content": completion.choices[0].message.content}), completion.usage  # type: ignore[union-attr]
    except (AttributeError, IndexError, TypeError):
        return None
    tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return generation_of(content, "length", *tokens)
