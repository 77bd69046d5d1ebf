"""Standard output and error that are closed, full, or that nobody reads any more: no traceback, and the right code."""

import contextlib
import errno
import io
import os
import sys
from typing import Any, TextIO, cast

_GONE = (errno.EPIPE, errno.EBADF)


class ForgivingStream:
    """A stream whose failures to write are passed over: a run must not end because nobody looks on any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or do nothing."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        """Flush, or do nothing."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def open_closed_streams() -> None:
    """Let streams that were closed before the start lead nowhere.

    Otherwise the next file that is opened, the journal say, would get the number of standard output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files, and what a journal holds, may be no text
    sys.stderr = cast(TextIO, ForgivingStream(sys.stderr or os.fdopen(2, "w", closefd=False)))


def finish(code: int) -> int:
    """Write out what is still held back for standard output; return the exit code."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return output_failed(error, code)
    except ValueError:  # closed by a library
        pass
    return code


def output_failed(error: OSError, code: int = 0) -> int:
    """Return the exit code where standard output takes no more: ``code`` where only its reader has gone, else 1."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)  # what is still held back, at the interpreter's end, goes there
    if error.errno in _GONE:
        return code
    print(f"error: standard output cannot be written ({error.strerror}); results are in their files", file=sys.stderr)
    return code or 1


def is_of_output(error: BaseException | None) -> bool:
    """Return whether the error is that of a write to a stream, not to a file with a name."""
    return isinstance(error, OSError) and error.filename is None and error.errno in (*_GONE, errno.ENOSPC, errno.EIO)
