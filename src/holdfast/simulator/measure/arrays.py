"""Array types, and a mean that ignores missing values without a warning."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def present_mean(values: Floats, axis: int | tuple[int, ...] | None = None, where: Bools | None = None) -> Floats:
    """Return the mean of the values that are not nan and True in ``where``; nan where there is none.

    ``where`` has the shape of ``values``. The same as ``numpy.nanmean``, which warns about empty slices.
    """
    there = ~np.isnan(values) if where is None else where & ~np.isnan(values)
    count = there.sum(axis=axis)
    total = np.where(there, values, 0.0).sum(axis=axis)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float64)
