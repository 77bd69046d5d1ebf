"""The two products of attention in float64, of a few queries with keys and values that are kept in float32.

Reading keys and values is most of what a late turn costs. In float32 they are half as long, but torch knows no product
of mixed types, and widening them first costs as much as is saved. These loops widen them on the way. numba compiles
them once a machine, in about two seconds, and keeps the outcome beside this file or wherever else it may write.

Keys and values lie along the slots, (..., dimension, capacity): a vector of the processor is so many slots of one
dimension. Two queries share what is read, eight dimensions what is written; and eight streams keep the memory busy,
which one does not. An odd query goes with itself, for next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 8  # at a time: a head's dimension must be a multiple
SLOTS = 2048  # at a time: long enough to be read ahead, short enough to lie near when the next queries come

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Rows = tuple[Floats, ...]  # DIMENSIONS of them
F = TypeVar("F", bound=Callable[..., Any])

_SIGNATURE = "void(f8[:,:,::1], f4[:,:,::1], f8[:,:,::1])"
# Vectors need sums in another order than written; it is the same for the same shape.
_OPTIONS: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz"}, "error_model": "numpy", "nogil": True}


def _inlined(function: F) -> F:
    return cast(F, numba.njit(**_OPTIONS)(function))


def _compiled(function: F) -> F:
    """Compile at once, or read what was compiled before; where that is damaged or has no place, for this process."""
    try:
        return cast(F, numba.njit(_SIGNATURE, cache=True, **_OPTIONS)(function))
    except Exception:  # a damaged file can raise anything; what is wrong with the loops raises again
        return cast(F, numba.njit(_SIGNATURE, **_OPTIONS)(function))


@_inlined
def _rows(states: Floats, head: int, d: int, a: int, b: int) -> Rows:
    """Slots [a, b) of the eight dimensions from ``d`` on."""
    return (
        states[head, d, a:b],
        states[head, d + 1, a:b],
        states[head, d + 2, a:b],
        states[head, d + 3, a:b],
        states[head, d + 4, a:b],
        states[head, d + 5, a:b],
        states[head, d + 6, a:b],
        states[head, d + 7, a:b],
    )


@_inlined
def _add_products(out: Doubles, out_too: Doubles, query: Doubles, query_too: Doubles, rows: Rows) -> None:
    """Add, for two queries, eight dimensions' part of each slot's product."""
    k0, k1, k2, k3, k4, k5, k6, k7 = rows
    q0, q1, q2, q3, q4, q5, q6, q7 = query[0], query[1], query[2], query[3], query[4], query[5], query[6], query[7]
    too = query_too
    r0, r1, r2, r3, r4, r5, r6, r7 = too[0], too[1], too[2], too[3], too[4], too[5], too[6], too[7]
    for slot in range(len(out)):
        x0, x1, x2, x3 = k0[slot], k1[slot], k2[slot], k3[slot]
        x4, x5, x6, x7 = k4[slot], k5[slot], k6[slot], k7[slot]
        out[slot] += q0 * x0 + q1 * x1 + q2 * x2 + q3 * x3 + q4 * x4 + q5 * x5 + q6 * x6 + q7 * x7
        out_too[slot] += r0 * x0 + r1 * x1 + r2 * x2 + r3 * x3 + r4 * x4 + r5 * x5 + r6 * x6 + r7 * x7


@_inlined
def _add_sums(out: Doubles, out_too: Doubles, weights: Doubles, weights_too: Doubles, rows: Rows) -> None:
    """Add, for two queries, these slots' part of eight dimensions' weighted sums."""
    v0, v1, v2, v3, v4, v5, v6, v7 = rows
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = 0.0
    for slot in range(len(weights)):
        weight, too = weights[slot], weights_too[slot]
        x0, x1, x2, x3 = v0[slot], v1[slot], v2[slot], v3[slot]
        x4, x5, x6, x7 = v4[slot], v5[slot], v6[slot], v7[slot]
        s0, s1, s2, s3 = s0 + weight * x0, s1 + weight * x1, s2 + weight * x2, s3 + weight * x3
        s4, s5, s6, s7 = s4 + weight * x4, s5 + weight * x5, s6 + weight * x6, s7 + weight * x7
        t0, t1, t2, t3 = t0 + too * x0, t1 + too * x1, t2 + too * x2, t3 + too * x3
        t4, t5, t6, t7 = t4 + too * x4, t5 + too * x5, t6 + too * x6, t7 + too * x7
    for place, (first, second) in enumerate(
        ((s0, t0), (s1, t1), (s2, t2), (s3, t3), (s4, t4), (s5, t5), (s6, t6), (s7, t7))
    ):
        out[place] += first
        out_too[place] += second


@_compiled
def multiply(queries: Doubles, keys: Floats, scores: Doubles) -> None:
    """Write the product of each query with the key of each slot.

    :param queries: (heads of all rows, queries, dimension), a multiple of ``DIMENSIONS``.
    :param keys: (heads of all rows, dimension, capacity).
    :param scores: (heads of all rows, queries, slots), overwritten; its width says how many slots count.
    """
    heads, many, dimension = queries.shape
    slots = scores.shape[2]
    spare = np.zeros(SLOTS)
    for head in range(heads):
        for a in range(0, slots, SLOTS):
            b = min(a + SLOTS, slots)
            scores[head, :, a:b] = 0
            for at in range(0, many, 2):
                too = min(at + 1, many - 1)
                out_too = scores[head, too, a:b] if too > at else spare[: b - a]
                for d in range(0, dimension, DIMENSIONS):
                    query, query_too = queries[head, at, d : d + DIMENSIONS], queries[head, too, d : d + DIMENSIONS]
                    _add_products(scores[head, at, a:b], out_too, query, query_too, _rows(keys, head, d, a, b))


@_compiled
def average(weights: Doubles, values: Floats, out: Doubles) -> None:
    """Write each query's sum of the values, weighted.

    :param weights: (heads of all rows, queries, slots).
    :param values: (heads of all rows, dimension, capacity).
    :param out: (heads of all rows, queries, dimension), overwritten; a multiple of ``DIMENSIONS``.
    """
    heads, many, slots = weights.shape
    dimension = out.shape[2]
    spare = np.zeros(DIMENSIONS)
    out[:] = 0
    for head in range(heads):
        for a in range(0, slots, SLOTS):
            b = min(a + SLOTS, slots)
            for at in range(0, many, 2):
                too = min(at + 1, many - 1)
                for d in range(0, dimension, DIMENSIONS):
                    summed = out[head, at, d : d + DIMENSIONS]
                    summed_too = out[head, too, d : d + DIMENSIONS] if too > at else spare
                    rows = _rows(values, head, d, a, b)
                    _add_sums(summed, summed_too, weights[head, at, a:b], weights[head, too, a:b], rows)
