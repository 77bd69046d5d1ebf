"""A chat model behind an endpoint that speaks OpenAI's chat completions.

OpenAI itself, vLLM, SGLang, llama.cpp, Ollama, ``transformers serve``. An adapter is a model name of its own there.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holdfast.agents.models.generations import without_key
from holdfast.agents.models.history import folded, without_silence
from holdfast.agents.models.response_cache import ResponseCache
from holdfast.agents.models.served.answer import read_answer
from holdfast.agents.models.served.endpoint import CHAT, Endpoint
from holdfast.agents.models.served.failures import NO_SCHEMA, EndpointError, TransientError
from holdfast.agents.models.served.fields import FieldsTaken
from holdfast.agents.models.served.retrying import Call, RetryBudget
from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import ModelError

SEEDS = 1 << 31  # llama.cpp keeps 32 bits of a seed, others refuse more than 63


@dataclass(frozen=True)
class ServedChatModel:
    """A chat model over a socket. ``served_as``: an adapter's name there, of its name here.

    ``extra``: fields sent with every request; None leaves one of ours out. ``fold``: system messages are sent inside
    the user's. Safe to await many times at once, from any event loop. A model whose server refuses a JSON schema, but
    answers without, is asked without from then on; so is one that does not take ``temperature`` or ``top_p``, which is
    said, and one that calls ``max_tokens`` otherwise.
    """

    endpoint: Endpoint
    model: str
    served_as: str = "{adapter}"
    extra: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    budget: RetryBudget = field(default_factory=lambda: RetryBudget(10_000))
    cache: ResponseCache | None = None
    fold: bool = False
    _takes_schema: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)
    _fields: FieldsTaken = field(default_factory=FieldsTaken, init=False, repr=False, compare=False)

    @property
    def id(self) -> str:
        return self.model

    def counters(self) -> Mapping[str, float]:
        """See :class:`holdfast.agents.models.usage.Usage`."""
        return self.usage.counters()

    async def generate(self, request: GenerationRequest) -> Generation:
        """Ask for the next assistant message.

        :raises ModelError: the endpoint refuses the request (a wrong key, an unknown model, a conversation too long),
            or it did not answer however often it was asked.
        """
        self.usage.requests += 1
        name, body = self.body_for(request)
        key = None if self.cache is None else self.cache.key(self.endpoint.base_url, body)
        if self.cache is not None and key is not None and (kept := self.cache.get(key)) is not None:
            self.usage.cached += 1
            return kept
        try:
            made = await self._ask(name, body, request)
        except ModelError:
            self.usage.failed += 1
            raise
        self.usage.answer(made)
        if self.cache is not None and key is not None:
            self.cache.put(key, made)
        return made

    def close(self) -> None:
        """Close the cache's file; connections close with their event loop."""
        if self.cache is not None:
            self.cache.close()

    def body_for(self, request: GenerationRequest) -> tuple[str, bytes]:
        """The model's name there, and the request's bytes. ``max_tokens`` always: some servers would go on for ever."""
        name = self.model if request.adapter is None else self.served_as.replace("{adapter}", request.adapter)
        sampling, messages = request.sampling, without_silence(request.messages)
        body = {
            "model": name,
            "messages": [message.as_dict() for message in (folded(messages) if self.fold else messages)],
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": request.seed % SEEDS,
            **({} if request.schema is None else {"response_format": _response_format(request.schema)}),
            **self.extra,
        }
        if None in self.extra.values():
            body = {name: value for name, value in body.items() if value is not None}
        return name, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    async def load_adapters(self, adapters: Iterable[tuple[str, Path]]) -> None:
        """Have a vLLM server load LoRA folders, each under its name; one that it has already is left alone.

        It must run with ``VLLM_ALLOW_RUNTIME_LORA_UPDATING=True`` and see the same folders.

        :raises ModelError: it refuses.
        """
        for name, path in adapters:
            body = {"lora_name": self.served_as.replace("{adapter}", name), "lora_path": str(path.absolute())}
            try:
                await self._post("load_lora_adapter", json.dumps(body).encode(), name, 0)
                self.endpoint.contact.forget(body["lora_name"])
            except ModelError as error:
                if "already" not in str(error):
                    raise ModelError(f"adapter {name!r} was not loaded: {error}") from None

    async def _ask(self, name: str, body: bytes, request: GenerationRequest) -> Generation:
        plain = None if request.schema is None else self.body_for(replace(request, schema=None))[1]
        made: Generation = await self._post(CHAT, body, name, request.seed, read_answer, plain)
        return without_key(made, self.endpoint.key)

    async def _post(
        self, path: str, body: bytes, name: str, seed: int, read: Any = bytes, plain: bytes | None = None
    ) -> Any:
        """``plain``: the same request without its JSON schema, where it has one."""
        endpoint = self.endpoint
        line = await endpoint.line()
        asked = name if path == CHAT else f"{path} {name}"  # to have no such path is no word on the model
        call = Call(endpoint.base_url, seed, endpoint.limits.retries, self.budget, line.breaker, self.usage, asked)

        failed: set[str] = set()

        async def attempt() -> Any:
            if plain is None:
                return read(await self._fitted(path, body, name))
            if self._takes_schema.get(name) is False:
                return read(await self._fitted(path, plain, name))
            try:
                answer = read(await self._fitted(path, body, name))
            except (TransientError, EndpointError) as error:
                if self._takes_schema.get(name) or not _may_mean_no_schema(error.cause, failed):
                    raise
                answer = read(await self._fitted(path, plain, name))
                self._takes_schema[name] = False  # it answers without, so the schema was what it refused
                return answer
            self._takes_schema[name] = True
            return answer

        async with line.gate:
            return await call.run(attempt)

    async def _fitted(self, path: str, body: bytes, name: str) -> bytes:
        """Send ``body`` with the fields that the model is known to take; learn from a refusal that names one."""
        while True:
            changes = self._fields.changes.get(name)
            fitted = body if changes is None else changes.applied_to(body)
            try:
                return await self.endpoint.post(path, fitted, name)
            except EndpointError as error:
                notice = self._fields.learn(name, error, fitted)
                if notice is None:
                    raise
                if notice:
                    self.usage.notices[f"{name} at {self.endpoint.base_url}: {error.field}"] = notice


def _may_mean_no_schema(cause: str, failed: set[str]) -> bool:
    """Whether the schema may be what a server refused. An error of its own may pass: only the second one counts."""
    again = cause in failed
    failed.add(cause)
    return cause in NO_SCHEMA and (again or not cause.startswith("5"))


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": schema.get("title", "answer"), "schema": dict(schema)}}
