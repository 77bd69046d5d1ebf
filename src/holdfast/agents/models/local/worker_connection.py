"""A line to a process of this machine that answers what it is asked; the other end is :mod:`holdfast.agents.models.local.worker`.

Messages are pickled and numbered, so that answers may come in any order. Light: imports no torch.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import GenerationRequest
from holdfast.core.errors import HoldfastError, ModelError

_FAREWELL_S = 1.0  # how long a process may take to end


class LostError(Exception):
    """The process is gone, and what it was asked with it."""


class WorkerConnection:
    """A running process: what it was asked and has not answered yet."""

    def __init__(self, opening: tuple[LocalReference, int, int]) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "holdfast.agents.models.local.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(search_path())},
                start_new_session=True,  # Ctrl-C is for us: we let the turns in flight be finished
            )
        except OSError as error:
            raise ModelError(f"no process can be started for {opening[0].word} ({error.strerror})") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self.loaded: Future[Any] = Future()
        self.asked: dict[int, Future[Any]] = {0: self.loaded}
        self._numbers = count(1)
        self._lock = threading.Lock()  # one message at a time
        self._tell(opening)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def end(self) -> str:
        """How it ended; ends it where it has not."""
        self.close()
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def ask(self, what: GenerationRequest | tuple[str, Path]) -> Future[Any]:
        """Its answer to come."""
        number, answer = next(self._numbers), Future[Any]()
        self.asked[number] = answer
        self._tell((number, what))
        if self._process.poll() is not None:
            self._give_up()
        return answer

    def withdraw(self, asked: Future[Any]) -> None:
        """An answer that nobody waits for any more."""
        for number, answer in list(self.asked.items()):
            if answer is asked and self.asked.pop(number, None) is not None:
                self._tell((number, None))

    def close(self) -> None:
        """Let it end."""
        with suppress(OSError):  # it is gone already
            self._in.close()
        try:
            self._process.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:  # it is loading still
            self._process.kill()
            self._process.wait()

    def _tell(self, message: Any) -> None:
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
                answer = self.asked.pop(number, None)
                if answer is None or not answer.set_running_or_notify_cancel():
                    continue
                if isinstance(result, HoldfastError):
                    answer.set_exception(result)
                else:
                    answer.set_result(result)
        except (EOFError, OSError, pickle.UnpicklingError):
            pass  # it is gone
        finally:
            self._give_up()

    def _give_up(self) -> None:
        for number in list(self.asked):
            answer = self.asked.pop(number, None)
            if answer is not None and answer.set_running_or_notify_cancel():
                answer.set_exception(LostError())


def search_path() -> list[str]:
    """Where this process finds its modules, so that another finds the same: "" is the folder that it runs in."""
    return [folder or os.getcwd() for folder in sys.path]
