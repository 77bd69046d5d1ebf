"""A chat model over any local Hugging Face causal language model, for hundreds of concurrent conversations."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path

import torch

from holdfast.agents.models.local.cache import MAX_BYTES, ConversationCache
from holdfast.agents.models.local.engine import Engine
from holdfast.agents.models.local.loading import Backbone, load_backbone
from holdfast.agents.models.local.lora import AdapterBank
from holdfast.agents.models.local.rendering import Renderer
from holdfast.agents.models.local.rows import Job
from holdfast.agents.models.local.self_check import check_architecture, require_same_bytes
from holdfast.agents.models.local.tiles import runs_in_tiles
from holdfast.agents.models.spec import TODAY
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import ModelError
from holdfast.core.memory import return_freed

MAX_CACHE_TOKENS = 1 << 18


class LocalChatModel:
    """A :class:`holdfast.agents.protocols.ChatModel` with a KV cache per conversation, batching, and LoRA adapters.

    ``generate`` may be awaited any number of times at once, from any event loop. Requests wait in order of arrival; a
    worker thread admits them to the running batch as rows become free, so the event loop stays responsive. A request
    whose awaiter is cancelled leaves the batch before the next token.

    Args:
        batch_size: most conversations in one forward pass.
        max_cache_tokens: most tokens whose keys and values are kept for idle conversations; fewer where they would
            take more than 4 GiB, or on a GPU more than a quarter of what the model leaves free.
        processes: how many processes share the work, and so the memory for idle conversations.
    """

    keeps_schemas = True

    def __init__(
        self,
        backbone: Backbone,
        *,
        batch_size: int = 32,
        max_cache_tokens: int = MAX_CACHE_TOKENS,
        processes: int = 1,
    ) -> None:
        self._backbone = backbone
        self._bank = AdapterBank(backbone.model, backbone.name)
        check_architecture(backbone)
        if runs_in_tiles(backbone.model):
            require_same_bytes(backbone)
        self._renderer = Renderer(backbone.tokenizer, backbone.template)
        cache = ConversationCache(max_cache_tokens // processes, _cache_bytes(backbone.device) // processes)
        self._engine = Engine(backbone, self._bank, batch_size=batch_size, cache=cache)
        self._waiting: deque[Job] = deque()
        self._queue_lock = threading.Lock()  # guards _waiting and _running
        self._model_lock = threading.Lock()  # during a pass, and while adapters change
        self._running = False
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="holdfast-model")

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        adapters: Mapping[str, Path] | None = None,
        dtype: str = "auto",
        device: str = "cpu",
        today: date = TODAY,
        fold: bool = False,
        reproducible: bool = False,
        **settings: int,
    ) -> LocalChatModel:
        """Load the model folder ``path`` and its adapters.

        Args:
            path: a folder that ``transformers`` can load.
            adapters: PEFT LoRA folders by name.
            dtype: "auto", or a torch type's name; float64 makes texts independent of what shares a batch.
            device: a torch device, or "auto".
            today: what a chat template is told that asks for the date.
            fold: whether it is given system messages inside the user's.
            reproducible: let texts of shorter types, too, be independent of it; see
                :mod:`holdfast.agents.models.local.tiles`.
            **settings: as the class takes them.

        Raises:
            InputError, ModelError: see :func:`holdfast.agents.models.local.loading.load_backbone` and
                :meth:`add_adapter`.
        """
        model = cls(
            load_backbone(path, dtype=dtype, device=device, today=today, fold=fold, reproducible=reproducible),
            **settings,
        )
        for name, folder in (adapters or {}).items():
            model.add_adapter(name, folder)
        return model

    @property
    def id(self) -> str:
        return self._backbone.name

    @property
    def adapters(self) -> tuple[str, ...]:
        """The names that a request's ``adapter`` may have."""
        return self._bank.names

    def add_adapter(self, name: str, path: Path) -> None:
        """Make the PEFT LoRA folder ``path`` available under ``name``; safe while conversations run.

        Raises:
            ModelError: the name is taken, or the folder is absent, damaged, of another base, or not plain LoRA.
        """
        with self._model_lock:
            self._bank.add(name, path)

    def forget(self) -> None:
        """Free the memory that conversations take between their turns: gigabytes after many. They may go on."""
        with self._model_lock:
            self._engine.forget()
        return_freed()

    async def generate(self, request: GenerationRequest) -> Generation:
        """Write the next assistant message.

        Raises:
            ModelError: an unknown adapter, a conversation longer than the model's context, a chat template that refuses
                the messages, or not enough memory.
        """
        if request.adapter is not None and request.adapter not in self._bank.names:
            known = ", ".join(self._bank.names) or "none"
            raise ModelError(f"{self.id} has no adapter {request.adapter!r}; loaded: {known}")
        prompt = self._renderer.tokens(request.key, request.messages)
        room = self._backbone.context - len(prompt)
        if room < 1:
            raise ModelError(
                f"conversation {request.key} has {len(prompt)} tokens, {self.id} reads {self._backbone.context} at most"
                f"{self._backbone.why_context}"
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Generation] = loop.create_future()

        def deliver(result: Generation | BaseException) -> None:
            with suppress(RuntimeError):  # the loop was closed
                loop.call_soon_threadsafe(_settle, answer, result)

        self._submit(Job(request, prompt, max(1, min(request.sampling.max_tokens, room)), deliver, answer.cancelled))
        return await answer

    def _submit(self, job: Job) -> None:
        with self._queue_lock:
            self._waiting.append(job)
            if not self._running:
                self._running = True
                self._worker.submit(self._work)

    def _next_jobs(self) -> list[Job]:
        """Return the jobs that may join now; without any job or row left, mark the worker as stopped."""
        with self._queue_lock:
            jobs: list[Job] = []
            rows = self._engine.free_rows
            while self._waiting and len(jobs) < rows:
                job = self._waiting.popleft()
                if not job.cancelled():
                    jobs.append(job)
            self._running = bool(jobs or self._engine.rows)
            return jobs

    @torch.inference_mode()
    def _work(self) -> None:
        while (jobs := self._next_jobs()) or self._engine.rows:
            try:
                with self._model_lock:
                    if jobs:
                        self._engine.admit(jobs)
                    if self._engine.rows:
                        self._engine.step()
            except Exception as error:
                self._fail(jobs, error)

    def _fail(self, jobs: list[Job], error: Exception) -> None:
        cause = error
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            cause = ModelError(f"{self.id} ran out of memory; lower batch_size or max_cache_tokens")
        admitted = {id(row.job) for row in self._engine.rows}
        self._engine.abandon(cause)
        for job in jobs:
            if id(job) not in admitted:
                job.deliver(cause)


def _cache_bytes(device: torch.device) -> int:
    """Return how much memory idle conversations may take, once the model is loaded."""
    if device.type != "cuda":
        return MAX_BYTES
    free, _ = torch.cuda.mem_get_info(device)
    return int(free) // 4


def _settle(answer: asyncio.Future[Generation], result: Generation | BaseException) -> None:
    if answer.done():
        return
    if isinstance(result, BaseException):
        answer.set_exception(result)
    else:
        answer.set_result(result)
