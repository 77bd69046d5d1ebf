"""Write a file as a whole or not at all, and count what a format cannot hold."""

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
    """Open a text file that appears at ``path`` when the block succeeds.

    Raises:
        InputError: it cannot be written.
    """
    with whole(path) as draft, draft.open("w", encoding="utf-8", errors="replace", newline="") as file:
        yield file


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path whose file or folder is moved to ``path`` when the block succeeds.

    Raises:
        InputError: it cannot be written.
    """
    try:
        with drafted(path) as draft:
            yield draft
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); name another file") from error


def count_left_out(
    conversation: Conversation,
    left: Counter[str],
    *,
    labels: Collection[str] = (),
    after: Collection[str] = (),
    columns: Collection[str] = (),
    tags: bool = False,
) -> None:
    """Add to ``left`` what is lost in a format that holds only ``labels``, ``after``, ``columns`` (and ``tags``)."""
    for message in conversation.messages:
        left.update(f"label {name}" for name in message.labels if name not in labels)
        left["tactics"] += bool(message.tag) and not tags
        left["lengths without text"] += message.chars is not None
        left["thoughts"] += bool(message.thoughts)
        left["reasons why a reply has no text"] += bool(message.missing)
    left.update(f"label of the conversation {name}" for name in conversation.labels if name not in after)
    left.update(f"column {name}" for name in conversation.columns if name not in columns)
    for nothing in [name for name, count in left.items() if not count]:
        del left[nothing]


def number_text(value: float | None) -> str:
    """Return a number exactly, a whole one without a point; "" for none."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(value)
