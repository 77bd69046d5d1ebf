"""How training reports its progress."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class StageProgress(Protocol):
    """Receives a short label of the stage and how many of its ``total`` steps are done. Called often; must be fast."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing; the default :class:`StageProgress`."""


async def all_of(
    work: Callable[[Item], Awaitable[Result]],
    items: Sequence[Item],
    concurrency: int,
    on_done: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Do ``work`` on all ``items``, ``concurrency`` at a time; return the results in the order of the items.

    ``on_done(done, total)`` is called at once and after each.
    """
    gate = asyncio.Semaphore(concurrency)
    done = 0
    if on_done is not None:
        on_done(done, len(items))

    async def one_of(item: Item) -> Result:
        nonlocal done
        async with gate:
            result = await work(item)
        done += 1
        if on_done is not None:
            on_done(done, len(items))
        return result

    return list(await asyncio.gather(*map(one_of, items)))
