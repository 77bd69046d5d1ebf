"""Fit the router, and measure its accuracy on personas that it was not fitted on.

The held-out personas have other topics than the training personas, so the public description of each task (its title,
description, topics and needs) is training text as well. Nothing hidden of a persona is.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

from holdfast.adapters.dialogues.writing import UserMessages
from holdfast.adapters.routing.router import Floats, WordRouter, features_of, scaled, softmax
from holdfast.personas.schema import TaskContext

_STRENGTH = 10.0  # scikit-learn's C: the weight of the data against the L2 penalty
_DESCRIPTION = 10.0  # the weight of a task's description against all its conversations; see docs/LOG.md


@dataclass(frozen=True, slots=True)
class RouterReport:
    """The router's accuracy on held-out conversations; None where ``n`` is 0.

    ``n`` counts predictions: one after each user message, from all messages so far. ``by_heard``: (messages so far,
    accuracy, n), from one message on. ``confusion``: true task -> recognised -> count.
    """

    accuracy: float | None
    n: int
    conversations: int
    personas: tuple[str, ...]
    by_heard: tuple[tuple[int, float, int], ...]
    confusion: Mapping[str, Mapping[str, int]]


def fit_router(
    conversations: Sequence[UserMessages], tasks: Mapping[str, TaskContext], margin: float = 0.1
) -> WordRouter:
    """Fit a router on every prefix of every conversation, and on the descriptions of their tasks.

    Minimises the mean cross-entropy plus an L2 penalty by L-BFGS from zero: deterministic. Each task weighs the same,
    whatever the number of its conversations. With a single task, its probability is always 1.

    Raises:
        ValueError: there is no conversation.
    """
    ids = tuple(sorted({conversation.task for conversation in conversations}))
    if not ids:
        raise ValueError("a router cannot be fitted on no conversation")
    spoken = [
        (ids.index(conversation.task), prefix)
        for conversation in conversations
        for prefix in _prefixes(conversation.messages)
    ]
    described = ((label, tasks[task]) for label, task in enumerate(ids))
    written = [
        (label, features_of(text))
        for label, task in described
        for text in (task.title, task.description, *task.topics, *task.needs)
    ]
    vocabulary, rows = _count([features for _, features in (*spoken, *written)])
    labels = np.array([label for label, _ in (*spoken, *written)])
    importance = np.concatenate(
        [_equal_shares(labels[: len(spoken)]), _DESCRIPTION * _equal_shares(labels[len(spoken) :])]
    )
    tasks_with = sum((rows[labels == label].sum(axis=0) > 0).astype(np.int64) for label in range(len(ids)))
    rarity = np.log((1 + len(ids)) / (1 + tasks_with))
    vectors = csr_array(scaled(rows.toarray() * rarity))
    weights, bias = _fit(vectors, labels, importance / importance.sum(), len(ids))
    return WordRouter(ids, vocabulary, rarity, weights, bias, margin)


def assess_router(router: WordRouter, conversations: Sequence[UserMessages]) -> RouterReport:
    """Recognise the task of each conversation after every message, and count how often that is right."""
    right: Counter[int] = Counter()
    total: Counter[int] = Counter()
    confusion: dict[str, Counter[str]] = {}
    for conversation in conversations:
        for count in range(1, len(conversation.messages) + 1):
            recognised = router.recognise(conversation.messages[:count])
            confusion.setdefault(conversation.task, Counter())[recognised] += 1
            total[count] += 1
            right[count] += recognised == conversation.task
    n = total.total()
    return RouterReport(
        accuracy=right.total() / n if n else None,
        n=n,
        conversations=len(conversations),
        personas=tuple(sorted({conversation.persona for conversation in conversations})),
        by_heard=tuple((count, right[count] / total[count], total[count]) for count in sorted(total)),
        confusion={task: dict(sorted(counts.items())) for task, counts in sorted(confusion.items())},
    )


def _equal_shares(labels: NDArray[np.int64]) -> Floats:
    """Return a weight per document such that each label's weights sum to 1."""
    shares: Floats = 1.0 / np.bincount(labels)[labels]
    return shares


def _prefixes(messages: Sequence[str]) -> Iterable[frozenset[str]]:
    known: frozenset[str] = frozenset()
    for message in messages:
        known |= features_of(message)
        yield known


def _count(documents: Sequence[frozenset[str]]) -> tuple[tuple[str, ...], csr_array]:
    """Return the sorted vocabulary, and a sparse (documents, F) matrix of ones where a document has a feature."""
    vocabulary = tuple(sorted(frozenset().union(*documents)))
    index = {feature: number for number, feature in enumerate(vocabulary)}
    columns = [sorted(index[feature] for feature in document) for document in documents]
    starts = np.cumsum([0, *map(len, columns)])
    flat = np.concatenate([np.array(row, dtype=np.int64) for row in columns])
    return vocabulary, csr_array((np.ones(len(flat)), flat, starts), shape=(len(documents), len(vocabulary)))


def _fit(vectors: csr_array, labels: NDArray[np.int64], importance: Floats, classes: int) -> tuple[Floats, Floats]:
    """Return the weights (F, K) and bias (K,) at the minimum; the bias is not penalised."""
    n, width = vectors.shape
    truth = np.eye(classes)[labels]
    penalty = 1 / (_STRENGTH * n)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights, bias = flat[:-classes].reshape(width, classes), flat[-classes:]
        chances = softmax(vectors @ weights + bias)
        surprise = -np.log(np.maximum(chances[np.arange(n), labels], 1e-300))
        error = (chances - truth) * importance[:, None]
        value = float(importance @ surprise + penalty * (weights**2).sum() / 2)
        return value, np.concatenate([(vectors.T @ error + penalty * weights).ravel(), error.sum(axis=0)])

    best = minimize(loss, np.zeros((width + 1) * classes), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return best[:-classes].reshape(width, classes), best[-classes:]
