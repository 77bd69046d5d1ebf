"""The worker process behind :mod:`holdfast.agents.models.local.worker_connection`: a local model behind standard input.

``python -m holdfast.agents.models.local.worker`` reads pickled messages from its parent process, and ends with it.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import GenerationRequest
from holdfast.core.errors import HoldfastError, ModelError

if TYPE_CHECKING:
    from holdfast.agents.models.local.model import LocalChatModel

#: What reading raises when the parent is gone, possibly amid a message.
_GONE = (EOFError, OSError, pickle.UnpicklingError)


def main() -> None:
    """Load the model of the first message, then answer the others until standard input closes."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand between the answers
    try:
        opening = pickle.load(requests)
    except _GONE:
        return
    try:
        model = _load(*opening)
    except HoldfastError as error:
        _send(answers, (0, error))
        return
    _send(answers, (0, model.id))
    asyncio.run(_RequestLoop(model, answers).serve(requests))


def _load(reference: LocalReference, batch_size: int, processes: int) -> LocalChatModel:
    import torch

    from holdfast.agents.models.opening import load_local

    torch.set_num_threads(1)
    return load_local(reference, batch_size, processes)


class _RequestLoop:
    """Answers requests concurrently; they are numbered."""

    def __init__(self, model: LocalChatModel, answers: IO[bytes]) -> None:
        self._model, self._answers = model, answers
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def serve(self, requests: IO[bytes]) -> None:
        """Answer until the parent process is gone."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            try:
                while True:
                    loop.call_soon_threadsafe(self._take, *pickle.load(requests))
            except _GONE:
                os._exit(0)

        threading.Thread(target=read, daemon=True).start()
        await asyncio.Event().wait()

    def _take(self, number: int, message: GenerationRequest | tuple[str, Path] | None) -> None:
        """Start a request or the loading of an adapter (name and folder); None cancels the request."""
        if message is None:
            if number in self._tasks:
                self._tasks[number].cancel()
        else:
            task = asyncio.get_running_loop().create_task(self._answer(number, message))
            self._tasks[number] = task
            task.add_done_callback(lambda _: self._tasks.pop(number))

    async def _answer(self, number: int, message: GenerationRequest | tuple[str, Path]) -> None:
        try:
            result: Any = None
            if isinstance(message, GenerationRequest):
                result = await self._model.generate(message)
            else:
                self._model.add_adapter(*message)
        except HoldfastError as error:
            result = error
        except Exception as error:
            result = ModelError(f"{type(error).__name__}: {error}")
        _send(self._answers, (number, result))


def _send(answers: IO[bytes], message: tuple[int, Any]) -> None:
    try:
        pickle.dump(message, answers)
        answers.flush()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
