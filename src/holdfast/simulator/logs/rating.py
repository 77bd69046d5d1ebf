"""Ratings of very many replies, with what cannot be rated left undefined and counted.

The shipped linear rater rates batches of replies on all cores; any other rater gets passages. What the linear rater
cannot read, such as another language, would score 0 without having been rated: it is left out and counted.
"""

import asyncio
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from holdfast.agents.raters.gate.language import ENGLISH, unknown_language
from holdfast.agents.raters.gate.reading import replies_in
from holdfast.agents.raters.gate.verdict import Verdict, verdict_of_reply
from holdfast.agents.raters.linear.legibility import count_words, why_illegible
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import Failure, Passage, Rater, Rating, Scale, expressed
from holdfast.core.errors import ModelError
from holdfast.simulator.measure.arrays import Floats, Ints, present_mean

POOL_FROM = 8  # batches: fewer are rated before a pool would have started

Job = TypeVar("Job")
Exchange = tuple[str, str]  # what the user said, and the reply


@dataclass(frozen=True, slots=True)
class RatedTexts:
    """``levels``: replies x the scale's dimensions, nan where ``reasons`` or ``failures`` says why; ``words``,
    ``known``: how many words each reply has and how many of them the linear rater knows; both 0 for other raters."""

    levels: Floats
    reasons: tuple[str, ...]  # one a reply: why nothing is known of it, or ""
    failures: tuple[Failure | None, ...]  # one a reply: why it is disqualified, or None
    words: Ints
    known: Ints

    @property
    def ratings(self) -> list[Rating]:
        """The same as ratings of the linear rater."""
        rows = zip(self.levels.tolist(), self.reasons, self.failures, strict=True)
        return [
            Rating(missing=reason or None, disqualified=failure) if reason or failure else expressed(*levels)
            for levels, reason, failure in rows
        ]


def rate_texts(conversations: Sequence[Sequence[Exchange]]) -> RatedTexts:
    """Rate a batch of whole conversations with the shipped linear rater, behind the gate."""
    model = LinearRater().model
    replies = [reply for turns in conversations for reply in replies_in(turns)]
    texts = [reply.text for reply in replies]
    counts = np.array([count_words(text, model.numbers) for text in texts], dtype=np.int64).reshape(-1, 2)
    failures = tuple(_failure(verdict_of_reply(reply)) for reply in replies)
    reasons = tuple(
        "" if failure else unknown_language(reply, ENGLISH) or why_illegible(reply.text, *own)
        for reply, failure, own in zip(replies, failures, counts.tolist(), strict=True)
    )
    levels = model.levels(texts)
    levels[[bool(reason or failure) for reason, failure in zip(reasons, failures, strict=True)]] = np.nan
    return RatedTexts(levels, reasons, failures, counts[:, 0], counts[:, 1])


def _failure(verdict: Verdict | None) -> Failure | None:
    return None if verdict is None else verdict.failure


def rate_passages(rater: Rater, passages: Sequence[Passage], runner: asyncio.Runner) -> RatedTexts:
    """Rate a batch with any rater; an empty reply is not shown to it: it is disqualified."""
    asked = [index for index, passage in enumerate(passages) if passage.messages[-1].content.strip()]
    ratings = runner.run(rater.rate([passages[index] for index in asked]))
    levels = np.full((len(passages), len(rater.scale.dimensions)), np.nan)
    reasons = [""] * len(passages)
    failures: list[Failure | None] = ["empty"] * len(passages)
    for index, rating in zip(asked, ratings, strict=True):
        levels[index] = rating.levels(rater.scale.dimensions)
        reasons[index], failures[index] = rating.missing or "", rating.disqualified
    nothing = np.zeros(len(passages), dtype=np.int64)
    return RatedTexts(levels, tuple(reasons), tuple(failures), nothing, nothing)


def witness_measures(name: str, scale: Scale, levels: Sequence[Floats]) -> dict[str, Floats]:
    """Return a witness's mean over its dimensions and each of them, under its name: conversations x turns.

    ``levels``: turns x dimensions, by conversation. Nothing where no turn was rated.
    """
    longest = max(1, *(len(own) for own in levels))
    table = np.full((len(levels), longest, len(scale.dimensions)), np.nan)
    for row, own in enumerate(levels):
        table[row, : len(own)] = own
    if np.isnan(table).all():
        return {}
    each = {f"{name}: {dimension}": table[:, :, index] for index, dimension in enumerate(scale.dimensions)}
    return {f"{name}: {scale.id}": present_mean(table, axis=-1), **each}


def rate_all(
    jobs: Iterable[Job], turns_of: Callable[[Job], Sequence[Sequence[Exchange]]], workers: int | None = None
) -> Iterator[tuple[Job, RatedTexts]]:
    """Yield each job with its replies rated by the shipped linear rater, in order; at most three batches a worker wait.

    ``workers``: processes, the number of cores unless given; 1 rates in this process. A pool is only started for more
    than a few batches.
    """
    workers = workers or os.cpu_count() or 1
    jobs = iter(jobs)
    for _ in range(POOL_FROM):
        try:
            job = next(jobs)
        except StopIteration:
            return
        yield job, rate_texts(turns_of(job))
    if workers == 1:
        yield from ((job, rate_texts(turns_of(job))) for job in jobs)
    else:
        yield from _in_pool(jobs, turns_of, workers)


def _in_pool(
    jobs: Iterator[Job], turns_of: Callable[[Job], Sequence[Sequence[Exchange]]], workers: int
) -> Iterator[tuple[Job, RatedTexts]]:
    waiting: deque[tuple[Job, Future[RatedTexts]]] = deque()
    context = multiprocessing.get_context("spawn")  # no fork: threads of a progress bar may be running
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupts) as pool:
        try:
            for job in jobs:
                waiting.append((job, pool.submit(rate_texts, turns_of(job))))
                if len(waiting) > 3 * workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        except BrokenProcessPool as error:
            raise ModelError("a worker that rates replies died (out of memory?); try again with --workers 1") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, and the parent ends us
