"""The user's cache folder, for what was fetched or converted once and can be made again, and the locks of its parts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.core.errors import ModelError

_POLL_S = 0.2


def user_cache() -> Path:
    """Return ``$XDG_CACHE_HOME/holdfast``, or ``~/.cache/holdfast`` where that is unset or no absolute path.

    Raises:
        ModelError: This user has no home folder.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if root.is_absolute():
        return root / "holdfast"
    try:
        return Path.home() / ".cache" / "holdfast"
    except RuntimeError as error:
        raise ModelError("no home folder is known for this user; set XDG_CACHE_HOME to a folder for caches") from error


@contextmanager
def only_maker(path: Path) -> Iterator[None]:
    """Hold the lock under which ``path`` of the cache is made; another process that makes it is waited for.

    The system releases the lock of a process that dies.

    Raises:
        ModelError: The folder cannot be written.
    """
    from filelock import FileLock, Timeout  # brings asyncio, which few commands need

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"))
        while True:
            try:
                lock.acquire(timeout=_POLL_S)  # in short waits, so that Ctrl-C is heard
                break
            except Timeout:
                continue
    except OSError as error:
        raise ModelError(
            f"{path.parent}: the cache cannot be written ({error.strerror or error}); make room or mend its "
            "permissions, or set XDG_CACHE_HOME to another folder"
        ) from error
    try:
        yield
    finally:
        lock.release()
