"""One writer per run folder, by a lock of the operating system, which releases it when the process dies."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from holdfast.core.errors import InputError, JournalError
from holdfast.core.files import refuse_odd

LOCK = "journal.lock"  # its name in a run folder


class WriterLock:
    """An exclusive ``flock`` on a small file beside the journal, which names the process that holds it."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            JournalError: another process has it (the message names it), or the folder cannot be written; also where a
                link, a pipe or the like lies in the lock's place.
        """
        self.path = path
        self.made = not os.path.lexists(path)
        try:
            self._file = self._locked()
        except BlockingIOError as error:
            raise JournalError(
                f"{path.parent}: another run is writing here ({error.strerror}); wait for it, stop it, or choose "
                "another --out"
            ) from error
        except OSError as error:
            raise _cannot_write(path, error) from error
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, whoami().encode(), 0)
        except OSError as error:
            os.close(self._file)
            raise _cannot_write(path, error) from error

    def _locked(self) -> int:
        """Return the locked file. A lock that its last holder removed meanwhile counts for nothing: then once more."""
        while True:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
            try:
                refuse_odd(file, self.path)
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    holder = os.pread(file, 200, 0).decode(errors="replace").strip() or "another process"
                    raise BlockingIOError(error.errno, holder, str(self.path)) from error
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file), os.stat(self.path)):
                        return file
            except BaseException:
                os.close(file)
                raise
            os.close(file)

    def release(self) -> None:
        """Release the lock; the file stays."""
        os.close(self._file)

    def remove(self) -> None:
        """Remove the lock's file, which is still held."""
        with suppress(OSError):
            self.path.unlink()


def _cannot_write(path: Path, error: OSError) -> JournalError:
    if error.errno == errno.ELOOP:
        return JournalError(f"{path}: is a link, and nothing is written through it; remove it, or choose another --out")
    if error.errno in (errno.EINVAL, errno.EISDIR, errno.ENXIO):
        return JournalError(f"{path}: no ordinary file ({error.strerror}); remove it, or choose another --out")
    return JournalError(f"{path.parent}: the run folder cannot be written ({error.strerror})")


@contextmanager
def locked_folder(out: Path, keeps: str) -> Iterator[WriterLock]:
    """Hold the lock of the run folder ``out``, which is made where it is absent.

    A folder that was made for the block, and that the block leaves empty, is removed again, and so is the lock's file
    where it is new and there is no file called ``keeps``.

    Raises:
        InputError: the folder cannot be made.
        JournalError: see :class:`WriterLock`.
    """
    try:
        absent = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: the run folder cannot be made ({error.strerror})") from error
    lock = WriterLock(out / LOCK)
    try:
        yield lock
    finally:
        if lock.made and not os.path.lexists(out / keeps):
            lock.remove()
        lock.release()
        with suppress(OSError):  # something stands in it
            for folder in absent:
                folder.rmdir()


def whoami() -> str:
    """Return this process, its host and the time, for messages to other users."""
    return f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
