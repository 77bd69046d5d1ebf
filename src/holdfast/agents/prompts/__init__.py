"""Prompt files, and functions that read and hash them."""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from holdfast.core.hashing import sha256


@cache
def read_prompt(name: str) -> str:
    """Return the text of ``agents/prompts/NAME.txt`` without its last newline, such as NAME "users/speak"."""
    return (files(__package__) / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


def prompt_hashes() -> dict[str, str]:
    """Return the hash of every prompt file by its name ("intro.txt", "users/speak.txt")."""
    here = files(__package__)
    folders = [("", here), *((f"{item.name}/", item) for item in here.iterdir() if item.is_dir())]
    names = sorted(prefix + file.name for prefix, folder in folders for file in folder.iterdir() if _is_prompt(file))
    return {name: sha256(read_prompt(name.removesuffix(".txt"))) for name in names}


def _is_prompt(file: Traversable) -> bool:
    return file.name.endswith(".txt")


__all__ = ["prompt_hashes", "read_prompt"]
