"""Writing a file whole or not at all, and counting what a format has no place for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from holdfast.core.atomic import drafted
from holdfast.core.errors import InputError
from holdfast.simulator.logs.records import Conversation


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """A text file that appears under ``path`` when the block ends well. Raises InputError where none can be made."""
    with whole(path) as draft, draft.open("w", encoding="utf-8", errors="replace", newline="") as file:
        yield file


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write what appears under ``path`` when the block ends well. Raises InputError where nothing can be."""
    try:
        with drafted(path) as draft:
            yield draft
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); choose another --out") from error


def count_left_out(
    conversation: Conversation,
    left: Counter[str],
    *,
    labels: Collection[str] = (),
    after: Collection[str] = (),
    columns: Collection[str] = (),
    tags: bool = False,
) -> None:
    """Add to ``left`` what a format cannot hold that keeps only ``labels``, ``after``, ``columns`` (and ``tags``)."""
    for message in conversation.messages:
        left.update(f"label {name}" for name in message.labels if name not in labels)
        left["tactics"] += bool(message.tag) and not tags
        left["lengths without text"] += message.chars is not None
    left.update(f"label of the conversation {name}" for name in conversation.labels if name not in after)
    left.update(f"column {name}" for name in conversation.columns if name not in columns)
    for nothing in [name for name, count in left.items() if not count]:
        del left[nothing]
