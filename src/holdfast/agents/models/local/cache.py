"""Keys and values, in the batch (:class:`BatchCache`) and of idle conversations (:class:`ConversationCache`).

Every row is left-aligned: the token at position p of a conversation lies in slot p. Rows of different lengths then
share a batch with no padding between their tokens; a mask hides the slots that a row has not reached. Buffers are
allocated ahead and grow by chunks: ``DynamicCache`` copies the whole cache for every token.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.cache_utils import Cache, CacheLayerMixin

from holdfast.agents.models.local.lookahead import SeenPhrases
from holdfast.agents.models.local.prefixes import shared_length

CHUNK = 256  # slots; growth copies the row, so once in this many tokens

MAX_BYTES = 4 << 30  # of idle conversations on a CPU: a large model reaches it long before ``max_tokens``

Pair = tuple[torch.Tensor, torch.Tensor]  # keys, values


def _empty(like: torch.Tensor, *shape: int) -> torch.Tensor:
    """Return uninitialised memory of ``shape``; on a CPU the slots of one dimension are contiguous.

    Weighting values sums over slots, which a CPU does a third faster where they are contiguous.
    """
    if like.device.type != "cpu":
        return like.new_empty(shape)
    return like.new_empty(*shape[:-2], shape[-1], shape[-2]).transpose(-1, -2)


@dataclass(slots=True)
class Window:
    """The part of the buffers that the next forward pass uses: rows [first, last), slots to write, length to attend."""

    rows: int  # rows that the buffers hold
    capacity: int = CHUNK  # slots per row; the last one takes what padding writes
    first: int = 0
    last: int = 0
    start: int = 0  # slot of the first row's first new token
    length: int = 0  # slots to attend to
    index: torch.Tensor = field(default_factory=lambda: torch.zeros(0, 1, dtype=torch.long))  # (rows, 1): row numbers
    slots: torch.Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.long))  # (rows, new tokens)


class BatchLayer(CacheLayerMixin):  # type: ignore[misc]
    """One layer's keys and values, each (rows, heads, capacity, dimension), written in place."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.window = window
        self.keys: torch.Tensor
        self.values: torch.Tensor

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        rows, capacity = self.window.rows, self.window.capacity
        # Not uninitialised memory: a hidden slot has weight 0, and 0 times a stray NaN is NaN.
        self.keys, self.values = (
            _empty(like, rows, like.shape[1], capacity, like.shape[3]).zero_() for like in (key_states, value_states)
        )
        self.is_initialized = True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> Pair:
        """Write the new states (rows, heads, new, dimension) into their slots; return all that may be attended to."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        window = self.window
        rows = slice(window.first, window.last)
        if len(key_states) == 1:  # no padding: its slots follow each other
            new = slice(window.start, window.start + key_states.shape[2])
            self.keys[rows, :, new] = key_states
            self.values[rows, :, new] = value_states
        else:
            self.keys[window.index, :, window.slots] = key_states.transpose(1, 2)
            self.values[window.index, :, window.slots] = value_states.transpose(1, 2)
        return self.keys[rows, :, : window.length], self.values[rows, :, : window.length]

    def grow(self, used: int) -> None:
        """Enlarge the buffers to the window's capacity, keeping the first ``used`` rows."""
        old = self.keys, self.values
        self.lazy_initialization(*old)
        for new, kept in zip((self.keys, self.values), old, strict=True):
            new[:used, :, : kept.shape[2]] = kept[:used]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.window.length, 0

    def get_seq_length(self) -> int:
        return self.window.length

    def get_max_length(self) -> int:
        return -1


class BatchCache(Cache):  # type: ignore[misc]
    """The KV cache of the rows in the batch, as a transformers ``Cache``."""

    def __init__(self, layers: int, rows: int) -> None:
        self.window = Window(rows)
        self._row_owner: WeakValueDictionary[int, CachedConversation] = WeakValueDictionary()  # row -> last stored
        super().__init__(layers=[BatchLayer(self.window) for _ in range(layers)])

    def reserve(self, length: int, used: int) -> None:
        """Make room for ``length`` slots in every row (and one for padding), keeping the first ``used`` rows."""
        if length < self.window.capacity:
            return
        self._row_owner.clear()
        self.window.capacity = (length // CHUNK + 1) * CHUNK
        for layer in self.layers:
            if layer.is_initialized:
                layer.grow(used)

    def move(self, source: int, target: int, length: int, start: int = 0) -> None:
        """Copy the slots from ``start`` to ``length`` of one row over another."""
        self._row_owner.pop(target, None)
        for layer in self.layers:
            for states in (layer.keys, layer.values):
                states[target, :, start:length] = states[source, :, start:length]

    def clear(self, row: int) -> None:
        """Forget what lies in a row: a hidden slot has weight 0, and 0 times a stray NaN is NaN."""
        self._row_owner.pop(row, None)
        for layer in self.layers:
            layer.keys[row] = layer.values[row] = 0

    def restore(self, row: int, cached: CachedConversation, length: int) -> None:
        """Copy the first ``length`` slots of an idle conversation into ``row``, unless they are still there."""
        if not (self._row_owner.pop(row, None) is cached and cached.row == row):
            self.load(row, cached, 0, length)

    def load(self, row: int, cached: CachedConversation, start: int, length: int) -> None:
        """Copy the slots from ``start`` to ``length`` of a conversation into ``row``."""
        if length <= start:
            return
        for layer, (keys, values) in zip(self.layers, cached.layers, strict=True):
            if not layer.is_initialized:
                layer.lazy_initialization(keys[None], values[None])
            layer.keys[row, :, start:length] = keys[:, start:length]
            layer.values[row, :, start:length] = values[:, start:length]

    def store(self, row: int, cached: CachedConversation, tokens: NDArray[np.int64], unchanged: int) -> None:
        """Copy the states of ``tokens`` from ``row`` to ``cached``, whose first ``unchanged`` slots stay."""
        length = len(tokens)
        if length > cached.capacity:
            cached.capacity = (length // CHUNK + 1) * CHUNK
            cached.layers, unchanged = [], 0
        for number, layer in enumerate(self.layers):
            ours = layer.keys, layer.values
            if len(cached.layers) <= number:
                keys, values = (_empty(like, like.shape[1], cached.capacity, like.shape[3]) for like in ours)
                cached.layers.append((keys, values))
            for stored, states in zip(cached.layers[number], ours, strict=True):
                stored[:, unchanged:length] = states[row, :, unchanged:length]
        cached.tokens, cached.row = tokens, row
        self._row_owner[row] = cached


@dataclass(slots=True, weakref_slot=True, eq=False)
class CachedConversation:
    """The states of one idle conversation under one adapter: per layer (heads, capacity, dimension).

    ``beginnings``: the digests of its tokens. ``row``: of the batch that it left; its states are still there until
    another conversation takes the row.
    """

    tokens: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    layers: list[Pair] = field(default_factory=list)
    capacity: int = 0
    row: int = -1
    phrases: SeenPhrases = field(default_factory=SeenPhrases)
    beginnings: list[bytes] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """The memory that its states take."""
        return sum(keys.nbytes + values.nbytes for keys, values in self.layers)

    def common(self, prompt: NDArray[np.int64]) -> int:
        """Return how many leading tokens ``prompt`` shares with the cached ones."""
        return shared_length(self.tokens, prompt)


class ConversationCache:
    """An LRU cache of idle conversations, limited to ``max_tokens`` slots and ``max_bytes`` in all.

    An evicted conversation is computed anew at its next turn, with the same result.
    """

    def __init__(self, max_tokens: int, max_bytes: int = MAX_BYTES) -> None:
        self.max_tokens, self.max_bytes = max_tokens, max_bytes
        self.slots = 0
        self.bytes = 0
        self._kept: OrderedDict[tuple[str, str | None], CachedConversation] = OrderedDict()
        self._by_prefix: WeakValueDictionary[bytes, CachedConversation] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, key: str, adapter: str | None) -> CachedConversation:
        """Remove and return this conversation *under this adapter*; an empty one where it is not cached."""
        cached = self._kept.pop((key, adapter), None)
        if cached is None:
            return CachedConversation()
        self._count(cached, -1)
        return cached

    def beginning_with(self, digest: bytes) -> CachedConversation | None:
        """Return a conversation whose cached tokens begin with those of this digest, in the batch at present or not."""
        return self._by_prefix.get(digest)

    def put(self, key: str, adapter: str | None, cached: CachedConversation, beginnings: Sequence[bytes] = ()) -> None:
        """Store it as the most recently used, evicting others as needed (and itself, where it is too large).

        ``beginnings``: the digests of its tokens.
        """
        self.take(key, adapter)
        self._kept[key, adapter] = cached
        for digest in set(cached.beginnings).difference(beginnings):
            if self._by_prefix.get(digest) is cached:
                del self._by_prefix[digest]
        cached.beginnings = list(beginnings)
        for digest in beginnings:
            if digest not in self._by_prefix:
                self._by_prefix[digest] = cached
        self._count(cached, 1)
        while self.slots > self.max_tokens or self.bytes > self.max_bytes:
            _, evicted = self._kept.popitem(last=False)
            self._count(evicted, -1)

    def clear(self) -> None:
        """Forget every idle conversation."""
        self._kept.clear()
        self.slots = self.bytes = 0

    def _count(self, cached: CachedConversation, sign: int) -> None:
        self.slots += sign * cached.capacity
        self.bytes += sign * cached.bytes
