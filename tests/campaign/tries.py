"""One try of the campaign: a fault drawn from a seed, set up for real, under a time limit, and what came of it."""

from __future__ import annotations

import faulthandler
import io
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from holdfast.core.seeds import derive_seed
from holdfast.simulator.cli.main import run_command

LIMIT_S = 60.0  # of one try, unless its kind says otherwise
HOLDFAST = "from holdfast.simulator.cli.main import main; main()"
Verdict = Literal["as expected", "wrong", "traceback", "hang"]
#: Variables that would lead a try out of this machine or away from its own settings.
OUTSIDE = ("PROXY", "CA_BUNDLE", "SSL_CERT", "OPENAI_", "HOLDFAST_", "LANGSMITH", "LANGCHAIN", "API_KEY", "TOKEN")


class WrongError(AssertionError):
    """A figure, a turn, an exit code or a cause is not what it must be."""


class HangError(BaseException):
    """A try passed its time limit. No ``except Exception`` keeps it."""


@dataclass(frozen=True)
class Scene:
    """What a try has to itself: an empty ``folder``, its ``rng``, and variables of the environment to set."""

    rng: random.Random
    folder: Path
    patch: pytest.MonkeyPatch
    size: int = 1  # how many inputs a fuzzing try draws


Fault = Callable[[Scene], str]
"""Sets a fault up, checks what comes of it, and returns the outcome in a few words. Raises WrongError."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault. ``weight``: how often it is tried beside others; ``fuzz``: one try draws many inputs."""

    number: int
    title: str
    fault: Fault
    weight: float = 1.0
    limit_s: float = LIMIT_S
    fuzz: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a try. ``details``: the traceback or the wrong figure; "" where all was as expected."""

    verdict: Verdict
    words: str
    details: str = ""


def equal(got: object, expected: object, what: str) -> None:
    """Raise WrongError unless ``got`` is ``expected``."""
    if got != expected:
        raise WrongError(f"{what}: expected {expected!r}, got {got!r}")


def holds(condition: object, what: object) -> None:
    """Raise WrongError with ``what`` unless ``condition``."""
    if not condition:
        raise WrongError(str(what)[:3000])


def attempt(name: str, kind: Kind, seed: int, number: int, size: int = 1) -> Outcome:
    """Hold one try in a folder of its own; nothing that it raises leaves this function but Ctrl-C."""
    rng = random.Random(derive_seed(seed, name, number))
    limit = kind.limit_s * max(1, size // 100)
    here, began = Path.cwd(), time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="holdfast-") as folder, pytest.MonkeyPatch.context() as patch:
            for variable in list(os.environ):
                if any(word in variable.upper() for word in OUTSIDE):
                    patch.delenv(variable)
            with time_limit(limit):
                words = kind.fault(Scene(rng, Path(folder), patch, size))
        return Outcome("as expected", words)
    except WrongError as error:
        return Outcome("wrong", "wrong", _where(error))
    except HangError as error:
        return Outcome("hang", "hang", f"after {time.monotonic() - began:.0f} s\n{_where(error)}")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Outcome("traceback", type(error).__name__, _where(error))
    finally:
        os.chdir(here)


def _where(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-4000:]


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise HangError inside the block after ``seconds``; end the process where even that is not heard for a minute."""

    def late(*_: object) -> None:
        raise HangError

    before, began = signal.signal(signal.SIGALRM, late), time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(seconds + 60, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001) if left else 0)


@dataclass(frozen=True)
class Done:
    """How a command ended. ``seconds``: how long it took."""

    code: int
    out: str
    err: str
    seconds: float

    def expect(self, *codes: int) -> Done:
        """Return this; raise WrongError for another exit code, or a traceback on either stream."""
        holds(self.code in codes, f"exit code {self.code}, expected {codes}: {self.out[-500:]} {self.err[-2000:]}")
        for stream in (self.out, self.err):
            holds("Traceback (most recent call last)" not in stream, f"a traceback on a stream: {stream[-3000:]}")
            holds("Exception ignored" not in stream, f"an ignored exception: {stream[-3000:]}")
        return self

    def says(self, *words: str) -> Done:
        """Return this; raise WrongError where standard error lacks one of the words."""
        for each in words:
            holds(each in self.err, f"standard error lacks {each!r}: {self.err[-2000:]}")
        return self


def command(*arguments: object) -> Done:
    """Run a command line in this process."""
    out, err, began = io.StringIO(), io.StringIO(), time.monotonic()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_command([str(argument) for argument in arguments])
    return Done(code, out.getvalue(), err.getvalue(), time.monotonic() - began)


def child(*arguments: object, code: str = HOLDFAST) -> subprocess.Popen[str]:
    """Start a command line as a process of its own; :func:`ended` waits for it."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def surroundings() -> dict[str, str]:
    """This environment, so that a process finds the modules that this one finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def ended(process: subprocess.Popen[str], seconds: float = 50.0) -> Done:
    """Wait for a process, and kill it where it goes on."""
    began = time.monotonic()
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise HangError from None
    finally:
        process.kill()
    return Done(process.returncode, out, err, time.monotonic() - began)


def draw(rng: random.Random, choices: Mapping[str, Any]) -> tuple[str, Any]:
    """Draw one of the choices by its name."""
    name = rng.choice(list(choices))
    return name, choices[name]


def same_figure(first: float | None, second: float | None, within: float = 1e-9) -> bool:
    """Whether two figures are equal, or both undefined."""
    undefined = [value is None or math.isnan(value) for value in (first, second)]
    if any(undefined):
        return all(undefined)
    assert first is not None
    assert second is not None
    return abs(first - second) <= within
