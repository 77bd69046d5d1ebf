"""Array types, and a mean and a quotient that leave out what is undefined without a warning."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def divide(top: npt.ArrayLike, bottom: npt.ArrayLike, where: Bools | None = None) -> Floats:
    """Return ``top`` / ``bottom``, arrays of one shape; nan where ``bottom`` is 0, or ``where`` is given and False."""
    above, below = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    defined = below != 0 if where is None else where
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=defined), dtype=np.float64)


def present_mean(values: Floats, axis: int | tuple[int, ...] | None = None, where: Bools | None = None) -> Floats:
    """Return the mean of the values that are not nan and True in ``where``; nan where there is none.

    ``where`` has the shape of ``values``. The same as ``numpy.nanmean``, which warns about empty slices.
    """
    there = ~np.isnan(values) if where is None else where & ~np.isnan(values)
    count = there.sum(axis=axis)
    total = np.where(there, values, 0.0).sum(axis=axis)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float64)
