"""SHA-256 of files and of model folders, so that runs can say exactly what they were made with."""

import hashlib
import os
import time
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from holdfast.core.errors import ModelError
from holdfast.core.files import MAX_TEXT, is_leftover, open_file, refuse_odd

_WEIGHTS = ".safetensors"
_BESIDE = (".json", ".jinja", ".model", ".txt", ".tiktoken", ".vocab", ".bpe", ".spm")
#: Endings of the files that make up a model: its weights, and the configurations, tokenizers and templates beside them.
MODEL_KINDS = (_WEIGHTS, *_BESIDE)
_KINDS = (*_BESIDE, ".npz")  # of the files beside weights that words and ratings follow from, raters' arrays too
_SETTLED_NS = 2_000_000_000  # after a change, a file's times tell the next one
_MOST_KNOWN = 4096  # files whose hash is remembered
_TEMPLATES = "additional_chat_templates"  # where transformers looks for named templates
_NOTES = ("license", "licence", "notice", "readme", "use_policy")


def sha256(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, hexadecimal: what a run records for a prompt as it was sent."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal. Raises OSError where it is no file that can be read.

    A file is read once, until its size or one of its times changes.
    """
    with open_file(path) as file:
        before = _state(file)
        digest = _known.get(before)
        if digest is None:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            settled = time.time_ns() - max(before.changed_ns, before.status_changed_ns) > _SETTLED_NS
            if settled and _state(file) == before:
                _known[before] = digest
                while len(_known) > _MOST_KNOWN:
                    _known.pop(next(iter(_known)), None)
    return digest


def files_sha256(folder: Path, *names: str) -> str:
    """Return one hash of files' bytes, one file after the other. Raises OSError where one cannot be read."""
    digest = hashlib.sha256()
    for name in names:
        with open_file(folder / name) as file:
            while part := file.read(1 << 20):
                digest.update(part)
    return digest.hexdigest()


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a model folder, by name. Raises ModelError without any."""
    files = sorted(file for file in folder.glob(f"*{_WEIGHTS}") if not is_leftover(file))
    if not files:
        raise ModelError(f"{folder}: holds no safetensors weights to compare an adapter with")
    return files


def weights_sha256(folder: Path) -> str:
    """Return one hash for a model folder, of its safetensors files' names and hashes. Raises ModelError without any."""
    digest = hashlib.sha256()
    for file in weight_files(folder):
        digest.update(f"{file.name} {_hash(file)}\n".encode())
    return digest.hexdigest()


def settings_sha256s(folder: Path) -> dict[str, str]:
    """Return the hash of each file beside a folder's weights that its words follow from, by its name.

    These are the configurations, the tokenizer's files and the chat templates of a model, the configuration of an
    adapter, the arrays and the manifest of a rater; cards and licences are none of them.

    Raises:
        ModelError: One of them is no ordinary file, or too large.
    """
    return {path.relative_to(folder).as_posix(): _hash(path) for path in settings_files(folder)}


def settings_files(folder: Path) -> list[Path]:
    """Return the files of :func:`settings_sha256s`, sorted.

    Raises:
        ModelError: One of them is no ordinary file, or too large to be what it is called.
    """
    beside = [*folder.glob("*"), *folder.glob(f"{_TEMPLATES}/*")]
    files = sorted(
        path
        for path in beside
        if path.suffix in _KINDS and not path.name.lower().startswith(_NOTES) and not is_leftover(path)
    )
    for path in files:
        try:
            refuse_odd(path, path)
            size = os.stat(path).st_size
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror or error}; put the model's own file there") from error
        if size > MAX_TEXT:
            raise ModelError(f"{path}: holds {size:,} bytes where at most {MAX_TEXT:,} are read; is it the right file?")
    return files


class _FileState(NamedTuple):
    device: int
    inode: int
    size: int
    changed_ns: int
    status_changed_ns: int


_known: dict[_FileState, str] = {}


def _state(file: BufferedReader) -> _FileState:
    stat = os.fstat(file.fileno())
    return _FileState(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _hash(file: Path) -> str:
    try:
        return file_sha256(file)
    except OSError as error:
        raise ModelError(
            f"{file}: cannot be read ({error.strerror or error}); put the model's own file there"
        ) from error
