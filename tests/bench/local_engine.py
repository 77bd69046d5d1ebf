"""The local engine against plain ``generate``, against itself later in a conversation, and with many adapters."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from holdfast.adapters.micro import base_path
from holdfast.agents.models.local.loading import Backbone
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.personas.loading import library
from holdfast.personas.schema import Persona
from tests.agents.models.conftest import build_adapter
from tests.bench.measure import Measure
from tests.bench.worlds import (
    REPLY_TOKENS,
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


def late_turns(folder: Path, early: int = 10, late: int = 100, held: int = 3) -> list[Measure]:
    """A turn late in a conversation against one early, by the engine that holds it, and by ``generate``.

    Of each, the median of five turns in a row (8-12, and 98-102); of the engine, the least of ``held`` conversations of
    the same words, because the short turns are over before a busy processor has found its speed. Random weights say
    nothing twice, so no guess of the engine comes true here.
    """
    found = []
    for dtype in ("float32", "float64"):
        times = [engine_turns(folder, dtype, late + 2) for _ in range(held)]
        costs = {turn: min(one[turn] for one in times) for turn in times[0]}
        found.append(_later(f"engine in {dtype}", costs.__getitem__, early, late, "ratio at least 0.5"))
    backbone = endless(folder)
    prompts = _prompts(late + 2)
    plain = partial(_plain, backbone, prompts)
    return [*found, _later("generate in float64", plain, early, late)]


def _later(who: str, cost: Callable[[int], float], early: int, late: int, goal: str = "") -> Measure:
    around = {turn: median(cost(near) for near in range(turn - 2, turn + 3)) for turn in (early, late)}
    return Measure(f"{who}: turn {late}", around[late], f"its turn {early}", around[early], goal=goal)


def own_replies(early: int = 10, late: int = 100, people: int = 6) -> list[Measure]:
    """The same with the embedded model's own replies, of which guesses do come true: a mean reply, and a mean pass.

    Late replies are less like what was said before, so they take more passes: that is the text, and not the engine.
    """
    model = LocalChatModel.load(base_path(), dtype="float64", batch_size=1)
    spent, passes = defaultdict[int, float](float), defaultdict[int, int](int)
    for number, persona in enumerate(islice(library().values(), people)):
        messages: tuple[Message, ...] = ()
        for turn, line in enumerate(_short_lines(persona, late + 2), start=1):
            messages += (Message("user", line),)
            request = GenerationRequest(str(number), messages, 0, sampling=Sampling(0, max_tokens=72))
            before = model._engine._steps
            took, reply = _timed_reply(model, request)
            messages += (Message("assistant", reply),)
            for around in (early, late):
                if abs(turn - around) <= 2:
                    spent[around] += took
                    passes[around] += 1 + model._engine._steps - before
    told = "the embedded model in float64, own replies"
    late_turn, early_turn = (spent[turn] / people / 5 for turn in (late, early))
    late_pass, early_pass = (1000 * spent[turn] / passes[turn] for turn in (late, early))
    return [
        Measure(f"{told}: turn {late}", late_turn, f"its turn {early}", early_turn),
        Measure(f"{told}: a pass of turn {late}", late_pass, f"of turn {early}", early_pass, unit="ms"),
    ]


def _timed_reply(model: LocalChatModel, request: GenerationRequest) -> tuple[float, str]:
    """CPU seconds that a reply takes, and the reply."""
    replies: list[str] = []
    took = seconds(lambda: replies.append(asyncio.run(model.generate(request)).text))
    return took, replies[0]


def _short_lines(persona: Persona, turns: int) -> Iterator[str]:
    """A feeling and a question in turn: a hundred of them and their replies fit into the model's context."""
    felt, asked = cycle(persona.feelings), cycle(persona.topics)
    return (f"What about {next(asked)}?" if turn % 2 else f"I feel {next(felt)}." for turn in range(turns))


def engine_turns(folder: Path, dtype: str, turns: int) -> dict[int, float]:
    """CPU seconds of each turn of a conversation that the engine holds alone."""
    model = LocalChatModel(endless(folder, dtype), batch_size=1)
    messages: tuple[Message, ...] = ()
    took: dict[int, float] = {}
    for turn in range(1, turns + 1):
        messages += (user_message(0, turn),)
        took[turn], reply = _timed_reply(model, greedy_reply("0", messages))
        messages += (Message("assistant", reply),)
    return took


def _prompts(turns: int) -> dict[int, tuple[Message, ...]]:
    """What ``generate`` is asked at each turn: as many words as the engine's conversation has by then."""
    messages: tuple[Message, ...] = ()
    prompts = {}
    for turn in range(1, turns + 1):
        messages += (user_message(0, turn),)
        prompts[turn] = messages
        messages += (Message("assistant", " ".join(["w1"] * REPLY_TOKENS)),)
    return prompts


def _plain(backbone: Backbone, prompts: Mapping[int, tuple[Message, ...]], turn: int) -> float:
    return seconds(lambda: generate_replies(backbone, [prompts[turn]]))


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
    took = run(folders, [None, *names])
    return Measure("base and 4 adapters in a batch", took, "1 adapter", one, goal="ratio at least 0.71")


def measures(scratch: Path) -> list[Measure]:
    """All of this module's comparisons; ``scratch``: an empty folder for the models."""
    folder = micro_sized(scratch / "model")
    return [against_generate(folder), *late_turns(folder), *own_replies(), many_adapters(folder, scratch)]
