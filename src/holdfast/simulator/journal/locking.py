"""One writer per run folder, by a lock of the operating system, which releases it when the process dies."""

import fcntl
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from holdfast.core.errors import JournalError


class WriterLock:
    """An exclusive ``flock`` on a small file beside the journal, which names the process that holds it."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            JournalError: another process has it (the message names it), or the folder cannot be written.
        """
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise JournalError(f"{path.parent}: the run folder cannot be written ({error.strerror})") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(self._file)
            raise JournalError(
                f"{path.parent}: another run is writing here ({holder}); wait for it, stop it, or choose another --out"
            ) from error
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, whoami().encode(), 0)
        except OSError as error:
            self.release()
            raise JournalError(f"{path.parent}: the run folder cannot be written ({error.strerror})") from error

    def release(self) -> None:
        """Release the lock; the file stays."""
        os.close(self._file)


def whoami() -> str:
    """Return this process, its host and the time, for messages to other users."""
    return f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
