"""Open files that others made or named: ordinary files of a bounded size, and nothing written through a link.

A pipe, a device or a socket in a file's place is refused at once, never waited for. Refusals are an OSError with the
path and a plain sentence, as the system's own are; of a file that a person named, an InputError with the next step.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import did_you_mean, printable, shorten

LONGEST_NAME = 255  # bytes of a file's name, on every common file system
MAX_TEXT = 256 * 1024 * 1024  # bytes of a JSON or text file that is read as a whole


def open_file(path: Path) -> BufferedReader:
    """Open an ordinary file to read its bytes; a link to one counts as one.

    Raises:
        OSError: It cannot be opened, or is a folder, a pipe, a device or a socket.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        refuse_odd(descriptor, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open an ordinary file that a person named, to read its bytes as they are.

    Raises:
        InputError: There is none, it is a folder, a pipe or a device, or it cannot be read; with the next step.
    """
    name = printable(os.fspath(path))
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise InputError([Fault(name, "is a folder where a file is expected; name a file in it")])
        if not stat.S_ISREG(mode):
            raise InputError([Fault(name, "is a pipe or a device, not a file; save what it gives to a file first")])
        file = open_file(path)
    except FileNotFoundError:
        raise InputError([Fault(name, f"no such file{_sibling(path)}; check the path")]) from None
    except (OSError, ValueError) as error:
        raise InputError([cannot_be_read(name, error)]) from None
    with file:
        yield file


def cannot_be_read(name: str, error: OSError | ValueError) -> Fault:
    """Return the fault of a file that the system does not let us read."""
    reason = getattr(error, "strerror", None) or str(error)
    return Fault(name, f"cannot be read: {reason}; check the path and its permissions")


def _sibling(path: Path) -> str:
    try:
        names = [entry.name for entry in os.scandir(path.parent) if entry.is_file() and not is_leftover(Path(entry))]
    except (OSError, ValueError):
        return ""
    return did_you_mean(path.name, names)


def is_leftover(path: Path) -> bool:
    """Return whether a file is what systems and editors leave beside others: ``.x``, ``#x#``, ``~$x``, ``x~``, swap."""
    return path.name.startswith((".", "#", "~$")) or path.name.endswith(("~", "#", ".swp", ".swo"))


def read_file(path: Path, most: int = MAX_TEXT) -> bytes:
    """Return the bytes of an ordinary file.

    Raises:
        OSError: As :func:`open_file`, or there are more than ``most`` bytes.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = b"" if size > most else file.read(most + 1)
    if size > most or len(data) > most:
        raise OSError(errno.EFBIG, f"holds {max(size, len(data)):,} bytes where at most {most:,} are read", str(path))
    return data


def is_folder(path: str | Path) -> bool:
    """Return whether there is a folder of that name; False also for what can be no name, as one of 300 letters."""
    return os.path.isdir(path)


def is_file(path: str | Path) -> bool:
    """Return whether there is a file of that name; False also for what can be no name, as a whole prompt."""
    return os.path.isfile(path)


def expanded(path: str) -> Path:
    """Return the path with ``~`` and ``~user`` written out.

    Raises:
        InputError: There is no such user, or the text cannot be a path.
    """
    if "\0" in path or not path.isprintable():
        raise InputError(f"{printable(path)}: no path; it holds characters that no file's name has")
    if max(map(len, os.fsencode(path).split(b"/"))) > LONGEST_NAME:
        raise InputError(f"{shorten(path, 80)}: no path; a name in it is longer than {LONGEST_NAME} bytes")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"{path}: no home folder is known for that user; write the path out") from error


def refuse_odd(opened: int | Path, path: Path) -> None:
    """Raise OSError unless ``opened``, a descriptor or a path, is an ordinary file."""
    mode = os.stat(opened).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "is a pipe, a device or a socket where a file is expected", str(path))


def link_outside(folder: Path, *names: str) -> Path | None:
    """Return the first link at or below ``folder/NAME`` that leads out of ``folder``; None where there is none."""
    root = folder.resolve()
    for name in names:
        top = folder / name
        inside = [Path(place, each) for place, dirs, files in os.walk(top) for each in (*dirs, *files)]
        for path in (top, *inside):
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                return path
    return None
