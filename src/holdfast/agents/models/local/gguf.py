"""GGUF files: each is converted once to a folder of float32 safetensors in the user's cache, and is a model like any.

Training, adapters, hashes and resumed runs need weights as safetensors, so nothing else has to know of GGUF. The
conversion runs in a process of its own (:mod:`holdfast.agents.models.local.gguf_conversion`). Imports no torch.
"""

import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from holdfast.core.atomic import drafted
from holdfast.core.child_process import module_command, module_environment
from holdfast.core.errors import InputError, ModelError
from holdfast.core.files import open_file
from holdfast.core.hashing import file_sha256
from holdfast.core.user_cache import only_maker, user_cache
from holdfast.core.wording import printable, shorten

GGUF = ".gguf"
WEIGHTS = "model.safetensors"  # of a converted folder
_MAGIC = b"GGUF"
_DIGITS = 12  # of a file's hash, in the name of its folder

Progress = Callable[[str, int, int], None]
"""Is told of a stage, how much of it is done, and of how much. What it raises ends the stage."""


def converted_folder(name: str, sha256: str) -> Path:
    """Return where the safetensors of a GGUF file lie, or will: by its ``name`` without ending, and its hash."""
    return user_cache() / "models" / sha256[:_DIGITS] / name


def convert_gguf(file: Path, word: str, progress: Progress, weights_sha256: str | None = None) -> Path:
    """Return the folder of safetensors that the GGUF ``file`` became, converting it where that was not done yet.

    Args:
        file: The GGUF file.
        word: What errors call the model.
        progress: Is told when the conversion begins and ends.
        weights_sha256: What :data:`WEIGHTS` must have, where that is known.

    Raises:
        InputError: There is no such file, it is no GGUF file, or the package ``gguf`` is not installed.
        ModelError: It cannot be converted, or becomes other weights than expected.
    """
    folder = converted_folder(file.stem, _checked_sha256(file, word))
    if not folder.is_dir():
        require_gguf(word)
        with only_maker(folder):
            if not folder.is_dir():
                progress(f"converting {word}", 0, 1)
                _convert(file, folder, word, weights_sha256)
                progress(f"converting {word}", 1, 1)
    return folder


def require_gguf(word: str) -> None:
    """Make sure that GGUF files can be read here.

    Raises:
        InputError: The package ``gguf`` is not installed.
    """
    if find_spec("gguf") is None:
        raise InputError(
            f"{word} comes as a GGUF file, which the package gguf reads, and that is not installed; install it with: "
            "pip install 'holdfast[gguf]'"
        )


def require_weights(folder: Path, weights_sha256: str, word: str, advice: str) -> None:
    """Make sure that a converted folder has just the weights that are expected.

    Raises:
        ModelError: It has others, or none.
    """
    try:
        digest = file_sha256(folder / WEIGHTS)
    except OSError as error:
        raise ModelError(f"{folder / WEIGHTS}: cannot be read ({error.strerror or error}); {advice}") from error
    if digest != weights_sha256:
        raise ModelError(
            f"{folder / WEIGHTS}: not the weights of {word} (SHA-256 {digest[:_DIGITS]}…, not "
            f"{weights_sha256[:_DIGITS]}…); {advice}"
        )


def _checked_sha256(file: Path, word: str) -> str:
    try:
        with open_file(file) as raw:
            begins = raw.read(len(_MAGIC))
        if begins != _MAGIC:
            raise InputError(f"{word}: {file} is no GGUF file (it begins with {begins!r}); is it a whole download?")
        return file_sha256(file)
    except OSError as error:
        raise InputError(f"{word}: {file} cannot be read ({error.strerror or error})") from error


def _convert(file: Path, folder: Path, word: str, weights_sha256: str | None) -> None:
    try:
        with drafted(folder) as draft:
            draft.mkdir()
            command = [
                *module_command("holdfast.agents.models.local.gguf_conversion"),
                str(file.absolute()),
                str(draft),
            ]
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # progress bars of libraries
                env=module_environment(),
                check=False,
            )
            if done.returncode != 0:
                raise ModelError(f"{word} cannot be converted to safetensors: {_reason(done)}")
            if weights_sha256 is not None:
                versions = (
                    "gguf and transformers may have changed how they read it: install the versions of constraints.txt"
                )
                require_weights(draft, weights_sha256, word, versions)
    except OSError as error:
        raise ModelError(f"{error.filename or folder}: cannot be written ({error.strerror or error})") from error


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stdout.decode("utf-8", "replace").strip().splitlines()
    if said:
        return shorten(printable(said[-1]), 300)
    ended = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    return f"its process ended with {ended} (not enough memory?)"
