"""Asking a LangChain model for an answer that follows a JSON schema, and reading what comes back as plain text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from holdfast.agents.models.served.failures import NO_SCHEMA
from holdfast.agents.protocols import FinishReason, Generation


@dataclass
class SchemaSupport:
    """Whether a model takes JSON schemas; learned from what it refuses."""

    works: bool = True

    async def ask(self, model: BaseChatModel, messages: Sequence[BaseMessage], schema: Mapping[str, Any]) -> Generation:
        """Ask with the schema where the model takes one, else without. The provider's errors pass through."""
        if self.works:
            try:
                return as_generation((await _with_schema(model, schema).ainvoke(list(messages)))["raw"])
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
    """The text of an answer, whether it came as text, as parts, or as the arguments of a tool; and its tokens."""
    calls = getattr(message, "tool_calls", None)
    text = json.dumps(calls[0]["args"]) if calls else str(message.text).strip()
    usage: Mapping[str, Any] = getattr(message, "usage_metadata", None) or {}
    metadata = message.response_metadata or {}
    reason = metadata.get("finish_reason") or metadata.get("stop_reason")
    finish: FinishReason = "length" if reason in ("length", "max_tokens", "MAX_TOKENS") else "stop"
    if message.additional_kwargs.get("refusal") or reason in ("content_filter", "refusal"):
        finish = "refusal"
    return Generation(text, int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0)), finish)


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
        text, usage = (completion.choices[0].message.content or "").strip(), completion.usage  # type: ignore[union-attr]
    except (AttributeError, IndexError, TypeError):
        return None
    return Generation(text, usage.prompt_tokens if usage else 0, usage.completion_tokens if usage else 0, "length")
