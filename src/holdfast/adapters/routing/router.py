"""Recognise the task context from the words of the user's messages so far.

A multinomial logistic regression on words and word pairs: presence in the messages so far, weighted by the rarity
among tasks, scaled to unit length. It is stateless: the task that it stays with is recomputed from all messages, so a
resumed conversation is routed as the uninterrupted one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.core.arrays_file import DAMAGED_ARRAYS, read_arrays
from holdfast.core.atomic import drafted
from holdfast.core.errors import InputError, ModelError

Floats = NDArray[np.float64]
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def features_of(text: str) -> frozenset[str]:
    """Return the lower-case words of ``text``, their first five letters (marked ``~``), and pairs of neighbours."""
    words = _WORD.findall(text.lower())
    return (
        frozenset(words)
        | {f"~{word[:5]}" for word in words}
        | {f"{first} {second}" for first, second in pairwise(words)}
    )


@dataclass(frozen=True, eq=False)
class WordRouter:
    """A fitted :class:`holdfast.agents.assistants.candidates.Router`.

    ``tasks``: K ids; ``vocabulary``: F features; ``rarity``: (F,), 0 for a feature of every task; ``weights``: (F, K);
    ``bias``: (K,). ``margin``, in [0, 1]: the router changes to another task only where its probability exceeds the
    current task's by more than this; 0 follows the likeliest task at every message.
    """

    tasks: tuple[str, ...]
    vocabulary: tuple[str, ...]
    rarity: Floats
    weights: Floats
    bias: Floats
    margin: float = 0.1

    @cached_property
    def _index(self) -> dict[str, int]:
        return {feature: index for index, feature in enumerate(self.vocabulary)}

    def recognise(self, user_messages: Sequence[str]) -> str:
        """Return the task after the last message.

        Raises:
            ValueError: there is no message.
        """
        probabilities = self.probabilities(user_messages)
        current = int(np.argmax(probabilities[0]))
        for row in probabilities[1:]:
            likeliest = int(np.argmax(row))
            if row[likeliest] - row[current] > self.margin:
                current = likeliest
        return self.tasks[current]

    def probabilities(self, user_messages: Sequence[str]) -> Floats:
        """Return the softmax over tasks after each message: (messages, K), rows sum to 1.

        Raises:
            ValueError: there is no message.
        """
        if not user_messages:
            raise ValueError("a task cannot be recognised before the user has said anything")
        return softmax(self._vectors(user_messages) @ self.weights + self.bias)

    def _vectors(self, messages: Sequence[str]) -> Floats:
        """Return unit-length weights of the features present in the messages up to each: (messages, F)."""
        present = np.zeros((len(messages), len(self.vocabulary)))
        for row, message in enumerate(messages):
            known = [self._index[feature] for feature in features_of(message) if feature in self._index]
            present[row, known] = 1.0
        return scaled(np.maximum.accumulate(present, axis=0) * self.rarity)

    def save(self, path: Path) -> None:
        """Write plain arrays (npz without pickle); the same router gives the same bytes."""
        arrays: dict[str, Any] = {field.name: np.array(getattr(self, field.name)) for field in fields(self)}
        with drafted(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> WordRouter:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: there is no such file.
            ModelError: the file is damaged.
        """
        if not path.exists():
            raise InputError(f"{path}: no such router; train one with `holdfast train`")
        try:
            with read_arrays(path) as arrays:
                tasks, vocabulary = (tuple(arrays[name].tolist()) for name in ("tasks", "vocabulary"))
                rarity, weights, bias = (arrays[name] for name in ("rarity", "weights", "bias"))
                router = cls(tasks, vocabulary, rarity, weights, bias, float(arrays["margin"]))
        except DAMAGED_ARRAYS as error:
            raise ModelError(f"{path}: cannot be read as a router: {error}") from error
        shape = (len(router.vocabulary), len(router.tasks))
        if router.weights.shape != shape or router.rarity.shape != shape[:1] or router.bias.shape != shape[1:]:
            raise ModelError(f"{path}: its arrays do not fit each other; train the router again")
        return router


def scaled(rows: Floats) -> Floats:
    """Return the rows scaled to unit length; rows of zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Floats = rows / np.where(lengths > 0, lengths, 1.0)
    return result


def softmax(logits: Floats) -> Floats:
    """Return the softmax of each row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return result
