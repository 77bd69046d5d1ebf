"""Every word that is put before a model, as text files, and the few functions that fill them in."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


@cache
def read_prompt(name: str) -> str:
    """The text of ``agents/prompts/NAME.txt``, without its last newline; a name may lie in a folder ("users/speak")."""
    return (files(__package__) / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


def sha256(text: str) -> str:
    """The hash that a run records for a prompt as it was sent: hexadecimal SHA-256 of its UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def prompt_hashes() -> dict[str, str]:
    """The hash of every prompt file by its name ("intro.txt", "users/speak.txt"): what a run records."""
    here = files(__package__)
    folders = [("", here), *((f"{item.name}/", item) for item in here.iterdir() if item.is_dir())]
    names = sorted(prefix + file.name for prefix, folder in folders for file in folder.iterdir() if _is_prompt(file))
    return {name: sha256(read_prompt(name.removesuffix(".txt"))) for name in names}


def _is_prompt(file: Traversable) -> bool:
    return file.name.endswith(".txt")


__all__ = ["prompt_hashes", "read_prompt", "sha256"]
