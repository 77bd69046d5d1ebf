"""The local engine against plain ``generate``, against itself later in a conversation, and with many adapters."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from agents.models.local import LocalChatModel
from agents.protocols import Message
from tests.agents.models.conftest import build_adapter
from tests.bench.measure import Measure
from tests.bench.worlds import (
    converse_all,
    endless,
    generate_replies,
    greedy_reply,
    micro_sized,
    user_message,
)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process: all threads, and nothing of what else the machine does meanwhile."""
    started = time.process_time()
    work()
    return time.process_time() - started


def against_generate(folder: Path, conversations: int = 24, turns: int = 8) -> Measure:
    """The same conversations held by the engine and by ``generate``, which reads the whole history at every turn."""
    model = LocalChatModel(endless(folder), batch_size=conversations)
    ours = seconds(lambda: asyncio.run(converse_all(model, conversations, turns)))
    backbone = endless(folder)

    def plain() -> None:
        talks: list[tuple[Message, ...]] = [()] * conversations
        for turn in range(1, turns + 1):
            talks = [(*talk, user_message(number, turn)) for number, talk in enumerate(talks)]
            replies = generate_replies(backbone, talks)
            talks = [(*talk, Message("assistant", reply)) for talk, reply in zip(talks, replies, strict=True)]

    return Measure(f"{conversations} conversations x {turns} turns", ours, "generate, whole history", seconds(plain))


def late_turns(folder: Path, early: int = 10, late: int = 100) -> list[Measure]:
    """A turn late in a conversation against one early, by the engine that holds it, and by ``generate``.

    Of each, the median of five turns in a row: 8-12, and 98-102.
    """
    backbone = endless(folder)
    model = LocalChatModel(backbone, batch_size=1)
    messages: tuple[Message, ...] = ()
    ours: dict[int, float] = {}
    prompts: dict[int, tuple[Message, ...]] = {}
    for turn in range(1, late + 3):
        messages += (user_message(0, turn),)
        prompts[turn] = messages
        replies: list[str] = []
        ours[turn] = seconds(lambda: replies.append(asyncio.run(model.generate(greedy_reply("0", messages))).text))  # noqa: B023
        messages += (Message("assistant", replies[0]),)

    def around(turn: int, cost: Callable[[int], float]) -> float:
        return median(cost(near) for near in range(turn - 2, turn + 3))

    def plain(turn: int) -> float:
        return seconds(lambda: generate_replies(backbone, [prompts[turn]]))

    return [
        Measure(f"{who}: turn {late}", around(late, cost), f"its turn {early}", around(early, cost))
        for who, cost in (("engine", ours.__getitem__), ("generate", plain))
    ]


def many_adapters(folder: Path, scratch: Path, conversations: int = 24, turns: int = 4) -> Measure:
    """The base and four adapters dealt over one batch, against one adapter for all."""
    names = [f"expert{number}" for number in range(4)]
    folders = {name: build_adapter(folder, scratch / name, seed, rank=8) for seed, name in enumerate(names)}

    def run(loaded: dict[str, Path], dealt: list[str | None]) -> float:
        model = LocalChatModel(endless(folder), batch_size=conversations)
        for name, path in loaded.items():
            model.add_adapter(name, path)
        return seconds(lambda: asyncio.run(converse_all(model, conversations, turns, dealt)))

    one = run({names[0]: folders[names[0]]}, [names[0]])
    return Measure("base and 4 adapters in a batch", run(folders, [None, *names]), "1 adapter", one)


def measures(scratch: Path) -> list[Measure]:
    """All of this module's comparisons; ``scratch``: an empty folder for the models."""
    folder = micro_sized(scratch / "model")
    return [against_generate(folder), *late_turns(folder), many_adapters(folder, scratch)]
