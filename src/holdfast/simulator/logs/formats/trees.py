"""Messages that answer each other as a tree: the branch that counts, and how many others there are."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Node = TypeVar("Node")
MOST_NODES = 100_000


def path_to(leaf: str, parents: Mapping[str, str]) -> list[str] | None:
    """Return the names from the root to ``leaf``; None where a parent is missing or the way is a circle.

    ``parents``: name -> its parent's, "" for a root.
    """
    path = [leaf]
    seen = {leaf}
    while True:
        parent = parents.get(path[-1])
        if parent is None:
            return None
        if not parent:
            return path[::-1]
        if parent in seen:
            return None
        seen.add(parent)
        path.append(parent)


def leaves(parents: Mapping[str, str]) -> list[str]:
    """Return the names that nothing answers, in their order."""
    inner = set(parents.values())
    return [name for name in parents if name not in inner]


def best_path(root: Node, replies: Callable[[Node], Sequence[Node]], rank: Callable[[Node], float]) -> list[Node]:
    """Return the way from the root that takes the reply of the lowest rank each time, the first of equals."""
    path = [root]
    while len(path) < MOST_NODES and (more := replies(path[-1])):
        path.append(min(more, key=rank))
    return path
