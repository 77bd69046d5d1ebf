"""Keys and values of rows in flight (:class:`BatchCache`) and of conversations at rest (:class:`ConversationCache`).

Every row is left-aligned: the token at position p of a conversation lies in slot p. Rows of different lengths then
share a batch with no padding between their tokens; a mask hides the slots that a row has not reached. Buffers are
allocated ahead and grow by chunks: ``DynamicCache`` copies the whole cache for every token.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.cache_utils import Cache, CacheLayerMixin

from holdfast.agents.models.local.lookahead import SeenPhrases

CHUNK = 256  # slots; growth copies the row, so once in this many tokens

MAX_BYTES = 4 << 30  # of conversations at rest on a CPU: a large model fills it long before ``max_tokens``

Pair = tuple[torch.Tensor, torch.Tensor]  # keys, values


def _across(like: torch.Tensor, *shape: int) -> torch.Tensor:
    """Uninitialised memory of ``shape``; on a CPU, one value's dimension lies beside itself in the next slot.

    Weighting values means adding up along the slots, which a CPU does a third faster where those are neighbours.
    """
    if like.device.type != "cpu":
        return like.new_empty(shape)
    return like.new_empty(*shape[:-2], shape[-1], shape[-2]).transpose(-1, -2)


@dataclass(slots=True)
class Window:
    """What the next forward pass may touch: rows [first, last), where each new token is written, how far to attend."""

    rows: int  # rows that the buffers hold
    capacity: int = CHUNK  # slots per row; the last one takes what padding writes
    first: int = 0
    last: int = 0
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
        self.keys = _across(key_states, rows, key_states.shape[1], capacity, key_states.shape[3])
        self.values = _across(value_states, rows, value_states.shape[1], capacity, value_states.shape[3])
        # Not uninitialised memory: a hidden slot has weight 0, and 0 times a stray NaN is NaN.
        self.keys.zero_()
        self.values.zero_()
        self.is_initialized = True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> Pair:
        """Write the new states (rows, heads, new, dimension) into their slots; return all that may be attended to."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        window = self.window
        self.keys[window.index, :, window.slots] = key_states.transpose(1, 2)
        self.values[window.index, :, window.slots] = value_states.transpose(1, 2)
        rows = slice(window.first, window.last)
        return self.keys[rows, :, : window.length], self.values[rows, :, : window.length]

    def grow(self, used: int) -> None:
        """Take up the window's new capacity, keeping the first ``used`` rows."""
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
    """The cache that a forward pass over the rows in flight reads and writes."""

    def __init__(self, layers: int, rows: int) -> None:
        self.window = Window(rows)
        self._rests: WeakValueDictionary[int, CachedConversation] = WeakValueDictionary()  # row -> who left it last
        super().__init__(layers=[BatchLayer(self.window) for _ in range(layers)])

    def reserve(self, length: int, used: int) -> None:
        """Make room for ``length`` slots in every row (and one for padding), keeping the first ``used`` rows."""
        if length < self.window.capacity:
            return
        self._rests.clear()
        self.window.capacity = (length // CHUNK + 1) * CHUNK
        for layer in self.layers:
            if layer.is_initialized:
                layer.grow(used)

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` slots of one row over another."""
        self._rests.pop(target, None)
        for layer in self.layers:
            for states in (layer.keys, layer.values):
                states[target, :, :length] = states[source, :, :length]

    def read_in(self, row: int, kept: CachedConversation, length: int) -> None:
        """Copy the first ``length`` slots of a conversation at rest into ``row``, unless they lie there still."""
        if (self._rests.pop(row, None) is kept and kept.row == row) or not length:
            return
        for layer, (keys, values) in zip(self.layers, kept.layers, strict=True):
            if not layer.is_initialized:
                layer.lazy_initialization(keys[None], values[None])
            layer.keys[row, :, :length] = keys[:, :length]
            layer.values[row, :, :length] = values[:, :length]

    def read_out(self, row: int, kept: CachedConversation, tokens: NDArray[np.int64], unchanged: int) -> None:
        """Let ``kept`` hold ``tokens``, whose states lie in ``row``; its first ``unchanged`` slots stay."""
        length = len(tokens)
        if length > kept.capacity:
            kept.capacity = (length // CHUNK + 1) * CHUNK
            kept.layers, unchanged = [], 0
        for number, layer in enumerate(self.layers):
            if len(kept.layers) <= number:
                keys = _across(layer.keys, layer.keys.shape[1], kept.capacity, layer.keys.shape[3])
                values = _across(layer.values, layer.values.shape[1], kept.capacity, layer.values.shape[3])
                kept.layers.append((keys, values))
            for resting, states in zip(kept.layers[number], (layer.keys, layer.values), strict=True):
                resting[:, unchanged:length] = states[row, :, unchanged:length]
        kept.tokens, kept.row = tokens, row
        self._rests[row] = kept


@dataclass(slots=True, weakref_slot=True, eq=False)
class CachedConversation:
    """The states of one conversation under one adapter, at rest: per layer (heads, capacity, dimension).

    ``row``: of the batch that it left; its states lie there too as long as no one else took the row. ``phrases``: what
    its tokens were followed by.
    """

    tokens: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    layers: list[Pair] = field(default_factory=list)
    capacity: int = 0
    row: int = -1
    phrases: SeenPhrases = field(default_factory=SeenPhrases)

    @property
    def bytes(self) -> int:
        """How much memory its states take."""
        return sum(keys.nbytes + values.nbytes for keys, values in self.layers)

    def common(self, prompt: NDArray[np.int64]) -> int:
        """How many leading tokens ``prompt`` shares with what is held."""
        shorter = min(len(prompt), len(self.tokens))
        differs = np.flatnonzero(self.tokens[:shorter] != prompt[:shorter])
        return int(differs[0]) if len(differs) else shorter


class ConversationCache:
    """Conversations at rest, the least recently used evicted when they hold more than ``max_tokens`` slots together,
    or more than ``max_bytes``.

    An evicted conversation is computed anew at its next turn, with the same result.
    """

    def __init__(self, max_tokens: int, max_bytes: int = MAX_BYTES) -> None:
        self.max_tokens, self.max_bytes = max_tokens, max_bytes
        self.held = 0
        self.bytes = 0
        self._kept: OrderedDict[tuple[str, str | None], CachedConversation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, key: str, adapter: str | None) -> CachedConversation:
        """Remove and return what is held of this conversation *under this adapter*; an empty one where nothing is."""
        kept = self._kept.pop((key, adapter), None)
        if kept is None:
            return CachedConversation()
        self._count(kept, -1)
        return kept

    def put(self, key: str, adapter: str | None, kept: CachedConversation) -> None:
        """Hold it as the most recently used, evicting others as needed (and itself, where it alone is too large)."""
        self.take(key, adapter)
        self._kept[key, adapter] = kept
        self._count(kept, 1)
        while self.held > self.max_tokens or self.bytes > self.max_bytes:
            _, evicted = self._kept.popitem(last=False)
            self._count(evicted, -1)

    def _count(self, kept: CachedConversation, sign: int) -> None:
        self.held += sign * kept.capacity
        self.bytes += sign * kept.bytes
