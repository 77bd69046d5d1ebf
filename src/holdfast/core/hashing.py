"""SHA-256 of files and of model folders, so that runs can say exactly what they were made with."""

import hashlib
from pathlib import Path

from holdfast.core.errors import ModelError


def sha256(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, hexadecimal: what a run records for a prompt as it was sent."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a model folder, by name. Raises ModelError without any."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(f"{folder}: holds no safetensors weights to compare an adapter with")
    return files


def weights_sha256(folder: Path) -> str:
    """Return one hash for a model folder, of its safetensors files' names and hashes. Raises ModelError without any."""
    digest = hashlib.sha256()
    for file in weight_files(folder):
        digest.update(f"{file.name} {file_sha256(file)}\n".encode())
    return digest.hexdigest()
