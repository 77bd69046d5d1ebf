"""Putting a question to a chat model: structured output where it is honoured, one repair, tokens counted, no raise.

Any ``BaseChatModel`` of langchain-core will do. What comes back is read as text whether or not the server kept to the
schema, because a server may accept a schema and ignore it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from holdfast.agents.raters.judge.answer import REASONS, Reason, Refusal
from holdfast.agents.raters.judge.rubrics import fill
from holdfast.core.errors import ModelError

Value = TypeVar("Value")
GIVE_UP_AFTER = 8  # failures of the server in a row, none of its answers between
LONGEST_REPEATED = 2000  # characters of an unusable answer that the repair request shows again
_THIS_REQUEST = {400, 413, 422}  # what servers say to one request, a conversation too long for instance
_NO_SCHEMA = {400, 404, 415, 422, 500, 501}  # what servers say to a request whose schema they do not know


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What the model wrote. ``finished``: it stopped by itself; ``tokens``: prompt and completion, 0 where not told."""

    text: str
    finished: bool
    declined: bool
    tokens: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask. ``form`` shows the answer's shape to the model, ``schema`` says it to the server."""

    system: str
    user: str
    form: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered(Generic[Value]):
    """What came of a question: a value, or why not. ``first``: why the first answer had to be asked for again."""

    value: Value | Refusal
    first: Reason | None
    tokens: tuple[int, int]


class Asker:
    """Asks one model, at most ``concurrency`` questions at a time; gives up on a server that keeps failing."""

    def __init__(self, model: BaseChatModel, concurrency: int = 8, *, structured: bool = True) -> None:
        self._model = model
        self._gate = asyncio.Semaphore(concurrency)
        self._concurrency = concurrency
        self._structured = structured
        self._failures = 0

    async def ask(self, question: Question, read: Callable[[ModelAnswer], Value | Refusal]) -> Answered[Value]:
        """Ask, read, and where the answer cannot be used say why and ask once more."""
        messages: list[BaseMessage] = [SystemMessage(question.system), HumanMessage(question.user)]
        said = await self._send(messages, question.schema)
        if isinstance(said, Refusal):
            return Answered(said, None, (0, 0))
        value = _read(said, read)
        if not isinstance(value, Refusal):
            return Answered(value, None, said.tokens)
        why = REASONS[value.reason]  # in our words: what the model wrote is not repeated as an instruction
        repair = fill("repair", why=why, form=question.form)
        messages += [AIMessage(said.text[:LONGEST_REPEATED] or "(nothing)"), HumanMessage(repair)]
        again = await self._send(messages, question.schema)
        if isinstance(again, Refusal):
            return Answered(value, value.reason, said.tokens)
        tokens = (said.tokens[0] + again.tokens[0], said.tokens[1] + again.tokens[1])
        return Answered(_read(again, read), value.reason, tokens)

    async def _send(self, messages: Sequence[BaseMessage], schema: Mapping[str, Any]) -> ModelAnswer | Refusal:
        async with self._gate:
            if self._failures >= GIVE_UP_AFTER:
                return Refusal("server", f"not asked: {GIVE_UP_AFTER} requests in a row had failed")
            try:
                said = _said(await self._answer(messages, schema))
            except Exception as error:  # whatever a provider's client raises: it is this answer's fate, not the run's
                cut = _cut_off(error)
                if cut is None:
                    self._failures += not _of_this_request(error)
                    return Refusal("server", _named(error))
                said = cut
            self._failures = 0
            return said

    async def _answer(self, messages: Sequence[BaseMessage], schema: Mapping[str, Any]) -> Any:
        """A client may hold connections that belong to an event loop of before: each fails once and is then gone."""
        for _ in range(self._concurrency):
            try:
                return await self._invoke(messages, schema)
            except RuntimeError as error:
                if "Event loop is closed" not in str(error):
                    raise
        return await self._invoke(messages, schema)

    async def _invoke(self, messages: Sequence[BaseMessage], schema: Mapping[str, Any]) -> Any:
        if self._structured:
            try:
                return await _with_schema(self._model, schema).ainvoke(list(messages))
            except (NotImplementedError, TypeError):  # this model's class knows no structured output
                self._structured = False
            except Exception as error:
                if getattr(error, "status_code", None) not in _NO_SCHEMA:
                    raise
                answer = await self._model.ainvoke(list(messages))
                self._structured = False  # it answers without a schema, so the schema was what it refused
                return answer
        return await self._model.ainvoke(list(messages))


def _with_schema(model: BaseChatModel, schema: Mapping[str, Any]) -> Any:
    try:
        return model.with_structured_output(dict(schema), method="json_schema", include_raw=True)
    except ValueError:  # a provider with other names for its methods: its own default
        return model.with_structured_output(dict(schema), include_raw=True)


def _said(answer: Any) -> ModelAnswer:
    """The text of an answer, whether it came as text, as parts, or as the arguments of a tool.

    Without the space around it, which some servers leave there and others do not: in a repair request it would make
    the conversation another one.
    """
    message = answer["raw"] if isinstance(answer, dict) else answer
    calls = getattr(message, "tool_calls", None)
    text = json.dumps(calls[0]["args"]) if calls else str(message.text).strip()
    usage = getattr(message, "usage_metadata", None) or {}
    reason = (message.response_metadata or {}).get("finish_reason") or (message.response_metadata or {}).get(
        "stop_reason"
    )
    return ModelAnswer(
        text,
        finished=reason not in {"length", "max_tokens"},
        declined=bool(message.additional_kwargs.get("refusal")) or reason in {"content_filter", "refusal"},
        tokens=(int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0))),
    )


def _cut_off(error: Exception) -> ModelAnswer | None:
    """The openai client raises where an answer under a schema reached its longest: the answer is inside the error."""
    completion = getattr(error, "completion", None)
    try:
        text, usage = (completion.choices[0].message.content or "").strip(), completion.usage  # type: ignore[union-attr]
    except (AttributeError, IndexError, TypeError):
        return None
    return ModelAnswer(text, False, False, (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0))


def _read(said: ModelAnswer, read: Callable[[ModelAnswer], Value | Refusal]) -> Value | Refusal:
    return Refusal("declined") if said.declined else read(said)


def _of_this_request(error: Exception) -> bool:
    """Whether the next request may fare better; a model of this process has no server that could be dead."""
    return isinstance(error, ModelError) or getattr(error, "status_code", None) in _THIS_REQUEST


def _named(error: Exception) -> str:
    """The kind of failure only: a server's own words may repeat a key. A model of this process knows none."""
    if isinstance(error, ModelError):
        return str(error)
    status = getattr(error, "status_code", None)
    return f"{type(error).__name__}, status {status}" if status else type(error).__name__
