"""Adherence: how near ratings are to the levels that a pattern asks for."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from holdfast.agents.raters.protocol import Rating, Scale


def adherence(
    values: npt.ArrayLike, target: npt.ArrayLike, width: npt.ArrayLike, disqualified: npt.ArrayLike = False
) -> npt.NDArray[np.float64]:
    r"""Compute 1 - mean over dimensions of \|value - target\| / width of the rater's scale.

    Args:
        values: ... x dimensions, on the rater's scale, nan where a value is missing.
        target: Broadcastable to ``values``.
        width: ``Scale.width`` for all dimensions, or a width for each.
        disqualified: ..., which replies are observed failures.

    Returns:
        ..., in [0, 1]; 0 where a reply is disqualified, else nan where any dimension is nan.
    """
    distance = np.abs(np.asarray(values, dtype=np.float64) - np.asarray(target, dtype=np.float64))
    near = 1.0 - (distance / width).mean(axis=-1)
    return np.asarray(np.where(np.asarray(disqualified), 0.0, near), dtype=np.float64)


def adherence_of(ratings: Sequence[Rating], target: npt.ArrayLike, scale: Scale) -> npt.NDArray[np.float64]:
    """Return the adherence of each rating, (n,): see :func:`adherence`. ``target``: a level of each dimension."""
    values = np.array([rating.levels(scale.dimensions) for rating in ratings], dtype=np.float64)
    stopped = np.array([rating.disqualified is not None for rating in ratings], dtype=np.bool_)
    return adherence(values.reshape(-1, len(scale.dimensions)), target, scale.width, stopped)
