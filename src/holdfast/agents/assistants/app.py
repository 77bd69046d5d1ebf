"""An application of one's own as a candidate: behind an address, or a Python function.

It gets the conversation's id, the history, and the user's message, and answers with a text and whatever else it did::

    POST {"conversation": "5f0c…", "turn": 2, "history": [{"role": "user", "content": "…"}, …], "message": "…", …}
    ->   {"text": "…"}                                           one message,
    ->   {"messages": ["…", "…"], "tool_calls": [{"name": "lookup", "arguments": {…}}], "keep": {…}}    or more.

Several messages of one turn are heard as one text with blank lines between. Tool calls and what is to be kept stand
in the journal beside the reply, as ``kept``: nobody hears them, nobody rates them.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import Field

from holdfast.agents.assistants.specs import CandidateSpec
from holdfast.agents.message_content import MessageContent, read_content, read_message
from holdfast.agents.models.generations import generation_of
from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.spec import BaseUrl
from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import AssistantView, Reply
from holdfast.core.errors import HoldfastError, ModelError
from holdfast.core.hashing import sha256
from holdfast.core.text import repaired
from holdfast.core.wording import describe_value, first_line, shorten

if TYPE_CHECKING:
    from holdfast.agents.models.served.endpoint import Endpoint
    from holdfast.agents.models.served.retrying import RetryBudget

MOST_KEPT = 20_000  # characters of what an application did besides

Function = Callable[[str, Sequence[Mapping[str, str]], str], Any]
"""(conversation id, history, message) -> a text, or a mapping as above; may be a coroutine function."""


class AppSpec(CandidateSpec):
    """An application behind ``url``; ``api_key_env`` names the variable of its key, where it has one."""

    title: ClassVar[str] = "the app"
    kind: Literal["app"] = "app"
    url: BaseUrl
    api_key_env: Annotated[str, Field(pattern=r"[A-Z_][A-Z0-9_]{0,60}")] | None = None
    timeout_s: Annotated[float, Field(gt=0, le=1e9)] = 120.0
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 64
    retries: Annotated[int, Field(ge=0, le=100)] = 6


class AnswerSource(Protocol):
    """Asks an application for its answer to one turn, as JSON values."""

    async def __call__(self, turn: Mapping[str, Any]) -> object:
        """Return the answer. Raises ModelError where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class App:
    """An application; implements :class:`holdfast.agents.protocols.Candidate`. It is told no task and no persona."""

    name: str
    ask: AnswerSource
    knows_task: bool = False
    prompt_hashes: dict[str, str] = field(default_factory=dict, init=False)

    async def reply(self, view: AssistantView) -> Reply:
        """Return the application's answer to the conversation.

        Raises:
            ModelError: It does not answer, or with something that is no answer.
        """
        messages = [message.as_dict() for message in view.messages]
        turn = {
            "conversation": sha256(view.episode_id)[:16],  # the id itself names the persona
            "turn": view.turn,
            "history": messages[:-1],
            "message": messages[-1]["content"],
            "seed": view.seed % (1 << 31),
        }
        return read_app_answer(await self.ask(turn), self.name)


@dataclass(frozen=True, slots=True)
class FunctionSource:
    """Calls a Python function."""

    function: Function

    async def __call__(self, turn: Mapping[str, Any]) -> object:
        """Return what the function returns. Raises ModelError where it raises anything."""
        try:
            answer = self.function(turn["conversation"], turn["history"], turn["message"])
            return await answer if inspect.isawaitable(answer) else answer
        except HoldfastError:
            raise
        except Exception as error:  # a function of others may raise anything
            raise ModelError(
                f"the function raised {type(error).__name__}: {shorten(first_line(error), 200)}"
            ) from error


@dataclass(frozen=True)
class HttpSource:
    """Posts to an address, with the patience and the limits that served models have."""

    endpoint: Endpoint
    path: str
    budget: RetryBudget
    usage: Usage = field(default_factory=Usage)

    async def __call__(self, turn: Mapping[str, Any]) -> object:
        """Return the answer's JSON. Raises ModelError where there is none."""
        from holdfast.agents.models.served.retrying import Call

        body = json.dumps(turn, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        endpoint, path, line = self.endpoint, self.path, await self.endpoint.line()
        where = f"{endpoint.base_url}/{path}"
        call = Call(where, turn["seed"], endpoint.limits.retries, self.budget, line.breaker, self.usage, path)
        async with line.gate:
            answer = await call.run(lambda: endpoint.post(path, body, None))
        try:
            return json.loads(answer.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError):
            raise ModelError(f"{where}: the answer is no JSON") from None


def app_over_http(spec: AppSpec) -> App:
    """Return the application that ``spec`` names."""
    from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
    from holdfast.agents.models.served.retrying import RetryBudget

    base, path = split_url(spec.url)
    limits = EndpointLimits(spec.timeout_s, spec.concurrency, spec.retries)
    return App(spec.name, HttpSource(Endpoint(base, ApiKey(spec.api_key_env), limits), path, RetryBudget(10_000)))


def split_url(url: str) -> tuple[str, str]:
    """Return what stands before an address's last step, and that step: (http://host/v1, reply)."""
    whole = url.rstrip("/")
    base, _, path = whole.rpartition("/")
    return (whole, "") if not urlsplit(base).hostname else (base, path)


def read_app_answer(answer: object, name: str) -> Reply:
    """Return an application's answer as a reply.

    Raises:
        ModelError: It is no text and no mapping, or its ``messages`` or ``tool_calls`` are no list.
    """
    if not isinstance(answer, str | Mapping):
        raise ModelError(
            f"{name}: an answer is a text, or a mapping with 'text' or 'messages'; got {describe_value(answer)}"
        )
    for key in ("messages", "tool_calls"):
        parts = answer.get(key, []) if isinstance(answer, Mapping) else []
        if not isinstance(parts, list | None):
            raise ModelError(f"{name}: '{key}' of an answer is a list; got {describe_value(parts)}")
    content, beside = _content(answer)
    tokens = (answer.get("prompt_tokens"), answer.get("completion_tokens")) if isinstance(answer, Mapping) else (0, 0)
    made = generation_of(replace(content, tool_calls=()) if content.text.strip() else content, None, *tokens)
    return Reply(
        made.text,
        prompt_tokens=made.prompt_tokens,
        completion_tokens=made.completion_tokens,
        thoughts=repaired(made.thoughts)[:MOST_KEPT],
        kept=repaired("\n\n".join(beside))[:MOST_KEPT],
        outcome=made.outcome,
        cause=made.cause,
    )


def _content(answer: str | Mapping[str, Any]) -> tuple[MessageContent, list[str]]:
    """Return what is said, and in words what else was done."""
    if isinstance(answer, str):
        return read_content(answer), []
    messages = answer.get("messages")
    if isinstance(messages, list):
        parts = [read_content(each) if isinstance(each, str) else read_message(each) for each in messages]
    else:
        parts = [read_message(answer)]
    texts = [part.text.strip() for part in parts if part.text.strip()]
    content = MessageContent(
        "\n\n".join(texts),
        "\n\n".join(part.thoughts for part in parts if part.thoughts),
        tool_calls=tuple(name for part in parts for name in part.tool_calls),
        unknown=tuple(name for part in parts for name in part.unknown),
    )
    calls = answer.get("tool_calls")
    beside = [f"tool call {json.dumps(call, ensure_ascii=False)}" for call in calls] if isinstance(calls, list) else []
    if "keep" in answer:
        beside.append(f"kept {json.dumps(answer['keep'], ensure_ascii=False)}")
    return content, beside
