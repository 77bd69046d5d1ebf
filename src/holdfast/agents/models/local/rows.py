"""The rows of a batch: what each has read and has to read, and what it may copy from another.

Samples of one reply, and conversations under one system prompt, begin alike: one row reads that for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from holdfast.agents.models.local.cache import CachedConversation, ConversationCache
from holdfast.agents.models.local.constrained import Constraint
from holdfast.agents.models.local.prefixes import BLOCK, block_digests, shared_length
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import ModelError


@dataclass(slots=True, eq=False)
class Job:
    """A request in progress. ``prompt``: (tokens,), the rendered conversation; ``limit``: most tokens to generate."""

    request: GenerationRequest
    prompt: NDArray[np.int64]
    limit: int
    deliver: Callable[[Generation | BaseException], None]
    cancelled: Callable[[], bool]


@dataclass(slots=True, eq=False)
class Row:
    """A job in the batch. ``length`` slots of its row are written; ``pending`` tokens are still to be read.

    ``guesses``: what may follow them, read in the same pass. ``unchanged``: cached slots that the prompt leaves as they
    are. ``beginnings``: digests of what its prompt begins with. ``like``: whose states of such a beginning it takes,
    which a row of an earlier ``wave`` reads (-1: has read). ``error``: why no token can be drawn for it.
    ``constraint``: what its answer has to keep to.
    """

    job: Job
    cached: CachedConversation
    unchanged: int
    length: int
    pending: NDArray[np.int64]
    chances: NDArray[np.float64]
    written: list[int] = field(default_factory=list)  # generated tokens
    guesses: list[int] = field(default_factory=list)
    beginnings: list[bytes] = field(default_factory=list)
    like: Row | CachedConversation | None = None
    wave: int = 0
    error: ModelError | None = None
    constraint: Constraint | None = None

    def write(self, token: int) -> None:
        """Add a token that was drawn."""
        self.written.append(token)
        if self.constraint is not None:
            self.constraint.take(token)

    @property
    def constrained(self) -> bool:
        """Whether a schema constrains its answer: not within a thought, nor once the answer left it."""
        return self.constraint is not None and self.constraint.holds

    @property
    def complete(self) -> bool:
        """Whether its answer has all that a schema asks for, so that nothing may follow."""
        return self.constraint is not None and self.constraint.complete

    def copy_from(self, like: Row | CachedConversation, shared: int) -> bool:
        """Take the first ``shared`` tokens from ``like``, unless that saves too little; say whether it will."""
        known = min(shared, len(self.job.prompt) - 1)  # at least one token has to be read, to have logits to draw from
        if known - self.length < BLOCK:
            return False
        self.like, self.length, self.pending = like, known, self.job.prompt[known:]
        return True

    def read_alone(self) -> None:
        """Take nothing from another row: where that failed, even states before its unsound token may be unsound, as a
        hidden one has weight 0, and 0 times NaN is NaN."""
        self.like, self.length, self.pending = None, self.unchanged, self.job.prompt[self.unchanged :]

    @property
    def unread(self) -> int:
        """The number of tokens of the coming pass."""
        return len(self.pending) + len(self.guesses)


def share_beginnings(joining: Sequence[Row], reading: dict[bytes, Row], conversations: ConversationCache) -> None:
    """Find for each row of ``joining`` with much to read another that reads, or has read, the longest same beginning.

    Of equally long ones, what has been read goes before what another of ``joining`` is about to read. Sets ``like`` and
    ``wave``: rows of wave 0 read first, and so on. ``reading``: by digest, the rows of the batch; gets those that join.
    """
    for row in joining:
        prompt, known = row.job.prompt, row.length // BLOCK
        row.beginnings = block_digests(prompt, row.job.request.adapter, row.cached.beginnings[:known])
        for digest in reversed(row.beginnings[known:] if len(row.pending) > BLOCK else ()):
            near, kept = reading.get(digest), conversations.beginning_with(digest)
            if kept is not None and (near is None or near.wave >= 0):
                row.copy_from(kept, kept.common(prompt))
            elif near is not None and row.copy_from(near, shared_length(near.job.prompt, prompt)):
                row.wave = near.wave + 1
            if near is not None or kept is not None:
                break
        for digest in row.beginnings:
            reading.setdefault(digest, row)


def forget_row(row: Row, reading: dict[bytes, Row]) -> None:
    """Take a row that leaves out of ``reading``."""
    for digest in row.beginnings:
        if reading.get(digest) is row:
            del reading[digest]
