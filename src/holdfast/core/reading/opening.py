"""Open an untrusted data file: an ordinary file, inflated if it is packed, its text as UTF-8, all within bounds.

Pipes and devices are refused, since a file is read more than once: to recognise it, and to read it. Of a packed file at
most :data:`MOST_INFLATED` times its size is unpacked; text is packed to a tenth or so, a bomb to a thousandth.
"""

import codecs
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any, cast

from holdfast.core.errors import Fault, InputError
from holdfast.core.files import opened
from holdfast.core.reading.encodings import CODE_PAGE, ESCAPED, mark_of, surely_code_page
from holdfast.core.wording import printable

MOST_INFLATED = 100  # times the packed size
ALWAYS_INFLATED = 64_000_000  # bytes to which any packed file may come
CHUNK = 1 << 18
_STEP = 1 << 15  # bytes unpacked at once: less is lost before damage
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class DataFile:
    """The text of a file as bytes of UTF-8, without a mark at its beginning. ``name``: to show."""

    def __init__(self, path: Path, raw: IO[bytes]) -> None:
        self.path, self.name = path, printable(os.fspath(path))
        self._source = _Inflated(raw, self.name)
        inflated = io.BufferedReader(self._source, CHUNK)
        mark, encoding = mark_of(inflated.peek(256)[:256])
        inflated.read(len(mark))
        self._recoded = encoding != "utf-8"
        self.stream = io.BufferedReader(_Recoded(inflated, encoding), CHUNK) if self._recoded else inflated

    @property
    def fault(self) -> str:
        """Why the rest cannot be read, once reading has come there; "" where nothing is wrong."""
        return self._source.fault

    @cached_property
    def code_page(self) -> bool:
        """Whether the text is surely Windows-1252. Asked only of a text that is not UTF-8: it reads the whole file."""
        if self._recoded:
            return False
        with opened(self.path) as raw:
            stream = io.BufferedReader(_Inflated(raw, self.name), CHUNK)
            return surely_code_page(iter(lambda: stream.read(CHUNK), b""))

    def repaired(self, text: str) -> str:
        """Return ``text``, decoded with "surrogateescape", as it is meant; unchanged where that is not sure."""
        if text.isascii() or not ESCAPED.search(text) or not self.code_page:
            return text
        return text.encode("utf-8", "surrogateescape").decode(CODE_PAGE)


@contextmanager
def opened_text(path: Path) -> Iterator[DataFile]:
    """Open an ordinary file as text, unpacking gzip and zstd.

    Raises:
        InputError: as :func:`opened`; also later, while reading, where more than the limit is unpacked.
    """
    with opened(path) as raw:
        yield DataFile(path, raw)


def head_of(path: Path, size: int = 65_536) -> bytes:
    """Return the first bytes of a file's text. Raises InputError as :func:`opened`, or where damage leaves none."""
    with opened_text(path) as file:
        head = file.stream.read(size)
        if not head and file.fault:
            raise InputError([Fault(file.name, f"{file.fault}; take another copy of it")])
        return head


def check_packed(path: Path) -> None:
    """Check that a packed file unpacks to no more than the limit, before any work is done on it.

    Raises:
        InputError: it unpacks to more; or as :func:`opened`.
    """
    with opened(path) as raw:
        source = _Inflated(raw, printable(os.fspath(path)))
        buffer = bytearray(_STEP)
        while source.packed and source.readinto(buffer):
            pass


class _Inflated(io.RawIOBase):
    """The bytes of a file, unpacked. Damage ends it and is kept as ``fault``; too much raises InputError."""

    def __init__(self, raw: IO[bytes], name: str) -> None:
        self.fault, self._name, self._count = "", name, 0
        head = raw.read(4)
        raw.seek(0)
        packing = "gzip" if head.startswith(_GZIP) else "zstd" if head == _ZSTD else ""
        self._packing, self._errors = packing, cast(tuple[type[Exception], ...], (OSError,))
        self._source: Any = raw
        self._read: Callable[[int], bytes] = raw.read
        self._limit = float("inf")
        if packing:
            self._limit = max(ALWAYS_INFLATED, MOST_INFLATED * os.fstat(raw.fileno()).st_size)
            self._unpack(raw)

    def _unpack(self, raw: IO[bytes]) -> None:
        if self._packing == "gzip":
            self._source, self._errors = gzip.GzipFile(fileobj=raw), (OSError, EOFError, zlib.error)
            self._read = self._source.read1  # which gives what is there before it finds the damage
            return
        import pyarrow

        self._source = pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, mode="r"), "zstd")
        self._read, self._errors = self._source.read, (OSError, ValueError)

    @property
    def packed(self) -> bool:
        """Whether the file is packed."""
        return bool(self._packing)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.fault:
            return 0
        try:
            data = self._read(min(len(buffer), _STEP) if self._packing else len(buffer))
        except self._errors as error:
            damaged = f"damaged {self._packing}" if self._packing else "cannot be read"
            read = "the rest was not read" if self._count else "nothing could be read"
            self.fault = f"{damaged}: {read} ({error or type(error).__name__})"
            return 0
        self._count += len(data)
        if self._count > self._limit:
            said = (
                f"unpacks to more than {self._limit:,} bytes, {MOST_INFLATED} times its size or more; "
                f"if that is right, unpack it yourself and give the unpacked file"
            )
            raise InputError([Fault(self._name, said)])
        buffer[: len(data)] = data
        return len(data)


class _Recoded(io.RawIOBase):
    """Text in another encoding as UTF-8; what is no character becomes U+FFFD."""

    def __init__(self, source: IO[bytes], encoding: str) -> None:
        self._source, self._decoder = source, codecs.getincrementaldecoder(encoding)("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            raw = self._source.read(CHUNK)
            self._ready = self._decoder.decode(raw, final=not raw).encode("utf-8")
            if not raw:
                break
        data, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)
