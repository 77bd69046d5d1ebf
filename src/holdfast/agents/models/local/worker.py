"""A worker process, and the connection to it: a local model behind standard input.

``python -m holdfast.agents.models.local.worker`` reads messages from its parent process, which holds a
:class:`WorkerConnection`, and ends with it. Messages are pickled and numbered, so that answers may come in any order.
Importing this brings no torch.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import GenerationRequest
from holdfast.core.child_process import module_command, module_environment
from holdfast.core.errors import HoldfastError, ModelError

if TYPE_CHECKING:
    from holdfast.agents.models.local.model import LocalChatModel

#: What reading raises when the other process is gone, possibly amid a message.
_GONE = (EOFError, OSError, pickle.UnpicklingError)
_EXIT_TIMEOUT_S = 1.0  # how long a process may take to end


class WorkerDiedError(Exception):
    """The process died before it answered."""


class WorkerConnection:
    """A running worker process and its unanswered requests."""

    def __init__(self, opening: tuple[LocalReference, int, int]) -> None:
        try:
            self._process = subprocess.Popen(
                module_command("holdfast.agents.models.local.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=module_environment(),
                start_new_session=True,  # Ctrl-C is for us: we let the turns in flight be finished
            )
        except OSError as error:
            raise ModelError(f"no process can be started for {opening[0].word} ({error.strerror})") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self.loaded: Future[Any] = Future()
        self.pending: dict[int, Future[Any]] = {0: self.loaded}
        self._numbers = count(1)
        self._lock = threading.Lock()  # one message at a time
        self._write(opening)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def end(self) -> str:
        """How the process ended; ends it if it runs."""
        self.close()
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def send(self, message: GenerationRequest | tuple[str, Path]) -> Future[Any]:
        """Send a request, or an adapter's name and folder; return the future of the answer."""
        number, answer = next(self._numbers), Future[Any]()
        self.pending[number] = answer
        self._write((number, message))
        if self._process.poll() is not None:
            self._give_up()
        return answer

    def cancel(self, cancelled: Future[Any]) -> None:
        """Cancel a request that was sent."""
        for number, answer in list(self.pending.items()):
            if answer is cancelled and self.pending.pop(number, None) is not None:
                self._write((number, None))

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):  # it is gone already
            self._in.close()
        try:
            self._process.wait(_EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:  # it is loading still
            self._process.kill()
            self._process.wait()

    def _write(self, message: Any) -> None:
        data = pickle.dumps(message)
        try:
            with self._lock:
                self._in.write(data)
                self._in.flush()
        except (OSError, ValueError):
            self._give_up()

    def _read(self) -> None:
        try:
            while True:
                number, result = pickle.load(self._out)
                answer = self.pending.pop(number, None)
                if answer is None or not answer.set_running_or_notify_cancel():
                    continue
                if isinstance(result, HoldfastError):
                    answer.set_exception(result)
                else:
                    answer.set_result(result)
        except _GONE:
            pass
        finally:
            self._give_up()

    def _give_up(self) -> None:
        for number in list(self.pending):
            answer = self.pending.pop(number, None)
            if answer is not None and answer.set_running_or_notify_cancel():
                answer.set_exception(WorkerDiedError())


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
