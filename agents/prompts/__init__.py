"""Every word that is put before a model, as text files, and the few functions that fill them in."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files


@cache
def read_prompt(name: str) -> str:
    """The text of ``agents/prompts/NAME.txt``, without its last newline."""
    return (files(__package__) / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


def sha256(text: str) -> str:
    """The hash that a run records for a prompt as it was sent: hexadecimal SHA-256 of its UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def prompt_hashes() -> dict[str, str]:
    """The hash of every prompt file by its name: what a run records."""
    names = sorted(file.name for file in files(__package__).iterdir() if file.name.endswith(".txt"))
    return {name: sha256(read_prompt(name.removesuffix(".txt"))) for name in names}


__all__ = ["prompt_hashes", "read_prompt", "sha256"]
