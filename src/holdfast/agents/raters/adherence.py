"""Adherence: how near ratings are to the levels that a pattern asks for."""

import numpy as np
import numpy.typing as npt


def adherence(values: npt.ArrayLike, target: npt.ArrayLike, width: npt.ArrayLike) -> npt.NDArray[np.float64]:
    r"""Compute 1 - mean over dimensions of \|value - target\| / width of the rater's scale.

    Args:
        values: ... x dimensions, on the rater's scale, nan where a value is missing.
        target: Broadcastable to ``values``.
        width: ``Scale.width`` for all dimensions, or a width for each.

    Returns:
        ..., in [0, 1]; nan where any dimension is nan.
    """
    distance = np.abs(np.asarray(values, dtype=np.float64) - np.asarray(target, dtype=np.float64))
    return np.asarray(1.0 - (distance / width).mean(axis=-1), dtype=np.float64)
