"""Where to cut a continuous score into levels 0, 1, 2, so that the levels agree best with people's."""

import numpy as np

from holdfast.agents.raters.linear.features import Floats, Ints


def best_cuts(expected: Floats, truth: Ints | Floats, steps: int = 60) -> tuple[Floats, float]:
    """Two cuts of ``expected`` that agree best with ``truth`` (quadratic-weighted kappa), and that kappa.

    For levels a, b: kappa_w = 2 cov(a, b) / (var a + var b + (mean a - mean b)^2), which needs only sums per cut.
    """
    grid = np.unique(np.quantile(expected, np.linspace(0.2, 0.99, steps)))
    above = (expected[:, None] > grid).astype(np.float64)
    share, product = above.mean(axis=0), (above * truth[:, None]).mean(axis=0)
    low, high = np.triu_indices(len(grid))
    mean = share[low] + share[high]
    variance = share[low] + 3 * share[high] - mean**2  # above[low] >= above[high], both 0 or 1
    covariance = product[low] + product[high] - mean * truth.mean()
    kappa = 2 * covariance / (variance + truth.var() + (mean - truth.mean()) ** 2)
    kappa[grid[high] - grid[low] < 0.1] = -1  # a scale needs room between its cuts
    best = int(np.argmax(kappa))
    return grid[[low[best], high[best]]], float(kappa[best])
