"""The embedded base model: a small Llama, the world that it learned from, and how it is built."""

from pathlib import Path


def base_path() -> Path:
    """The folder of the shipped base model, ready for ``from_pretrained``."""
    return Path(__file__).parent / "base"
