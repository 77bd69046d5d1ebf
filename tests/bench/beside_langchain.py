"""The engine beside LangChain's Hugging Face pipeline chat model, on the same conversations with the embedded model.

Both in float32; the engine in float64 too, which is how studies run the embedded model, so that samples never depend on
a batch. LangChain's model holds its conversations one after the other: a pipeline does not batch chats, and threads
around it only wait for each other. What it costs is therefore so much a conversation, and ``held`` of the 32 are enough
to tell.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice

import torch
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_huggingface import ChatHuggingFace, HuggingFacePipeline

from holdfast.adapters.micro import base_path
from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.personas.loading import library
from holdfast.personas.schema import Persona
from holdfast.simulator.runtime.executor import AdapterModel, LocalExecutor
from tests.bench.measure import Measure

CONVERSATIONS, TURNS, MAX_TOKENS = 32, 24, 72
Clock = Callable[[], float]


def lines(persona: Persona, turns: int) -> list[str]:
    """What this persona says, a feeling and a question in turn; the same to both models."""
    pairs = zip(cycle(persona.feelings), cycle(persona.topics), strict=False)
    felt = (f"I feel {feeling} about {topic}." for feeling, topic in pairs)
    asked = (f"What should I do about {topic}?" for topic in cycle(persona.topics))
    return [next(felt) if turn % 2 == 0 else next(asked) for turn in range(turns)]


def scripts() -> list[list[str]]:
    return [lines(persona, TURNS) for persona in islice(cycle(library().values()), CONVERSATIONS)]


def ours(model: AdapterModel, texts: Sequence[Sequence[str]], clock: Clock) -> float:
    """Seconds in which the engine holds all the conversations."""

    async def talk(number: int, text: Sequence[str]) -> None:
        messages: tuple[Message, ...] = ()
        for line in text:
            messages += (Message("user", line),)
            request = GenerationRequest(str(number), messages, 0, sampling=Sampling(0, max_tokens=MAX_TOKENS))
            messages += (Message("assistant", (await model.generate(request)).text),)

    async def all_of_them() -> None:
        await asyncio.gather(*(talk(number, text) for number, text in enumerate(texts)))

    began = clock()
    asyncio.run(all_of_them())
    return clock() - began


def theirs(texts: Sequence[Sequence[str]], clock: Clock) -> float:
    """Seconds in which LangChain's pipeline model holds them, one after the other."""
    pipeline = HuggingFacePipeline.from_model_id(
        str(base_path()),
        task="text-generation",
        model_kwargs={"dtype": torch.float32},
        pipeline_kwargs={"max_new_tokens": MAX_TOKENS, "do_sample": False, "return_full_text": False},
    )
    model = ChatHuggingFace(llm=pipeline, model_id=str(base_path()))
    began = clock()
    for text in texts:
        messages: list[BaseMessage] = []
        for line in text:
            messages.append(HumanMessage(line))
            messages.append(AIMessage(model.invoke(messages).content))
    return clock() - began


def measures(held: int) -> list[Measure]:
    """CPU time on one thread; then time on the clock on two cores: the engine in two processes, as in long studies.

    ``held``: how many of the 32 LangChain's model holds.
    """
    texts = scripts()
    told = "LangChain's pipeline model, float32" + (f", {held} of 32 held" if held < CONVERSATIONS else "")
    before, found = torch.get_num_threads(), []
    for threads, clock, unit in ((1, time.process_time, "CPU"), (2, time.perf_counter, "clock, two cores")):
        torch.set_num_threads(threads)
        other = theirs(texts[:held], clock) * CONVERSATIONS / held
        for dtype in ("float32", "float64"):
            reference = LocalReference("micro", base_path(), dtype)
            took = ours(LocalExecutor(threads).load(reference, CONVERSATIONS), texts, clock)
            goal = "ratio at least 10" if dtype == "float32" and threads == 2 else ""
            found.append(Measure(f"32 conversations x 24 turns in {dtype} ({unit})", took, told, other, goal=goal))
    torch.set_num_threads(before)
    return found
