"""The slope of a linear mixed model with a random level and slope per conversation, and reply length as covariate.

    y_it = beta0 + beta1 turn_it + beta2 covariate_it + u_i + v_i turn_it + e_it,  (u, v)_i ~ N(0, G),  e ~ N(0, s^2)

(Laird & Ware, Biometrics 38, 1982). Fitted by restricted maximum likelihood as in lme4 (Bates et al., Journal of
Statistical Software 67(1), 2015): fixed effects and s^2 are profiled out, and G = s^2 L L' is searched over its
Cholesky factor, in which "conversations do not differ in slope" is an ordinary point and no failure to converge.
Conversations enter through their cross products only, so a fit costs the same for 10 turns and for 1,000.
statsmodels' MixedLM gives the same figures, slower, and often stops at the border (the tests compare the two).

Limits of the slope: the sandwich over clusters (Liang & Zeger, Biometrika 73, 1986), times c / (c - 1), with t(c - 1)
for c clusters. It allows for conversations of one persona being alike, which the model does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from holdfast.core.wording import how_many
from holdfast.simulator.measure.arrays import Bools, Floats, Ints
from holdfast.simulator.measure.bootstrap import ALIKE, FEWEST, all_alike
from holdfast.simulator.measure.estimates import Count, Estimate, Number

MIN_EPISODES = 3
STARTS = ((1.0, 0.0, 1.0), (0.3, 0.0, 0.05), (10.0, 0.0, 10.0))  # conversations that differ as turns do, less, more
EXACT: Any = {"ftol": 1e-13, "gtol": 1e-6}
WIDEST = 1e3  # spread of conversations / spread of turns: beyond it the cross products lose their digits
UNDEFINED = math.nan


class MixedSlopeResults(Estimate):
    """Slope of a linear mixed model (REML, random level and slope per conversation), per turn.

    95 % limits from a sandwich over personas with t(personas - 1).
    """

    n: Count = Field(description="Conversations.")
    turns: Count = Field(description="Values used.")
    covariate: Number = Field(description="Adherence per word of the reply; null where length is not in the model.")
    sd_level: Number = Field(description="Spread of the conversations' levels at the mean turn.")
    sd_slope: Number = Field(description="Spread of their slopes.")
    sd_turn: Number = Field(description="Spread of what is left from turn to turn.")
    note: str = Field(description="Why figures are null, or a caution; or empty.")


def without_last(values: Floats, turns: int) -> Floats:
    """Return ``values`` (episodes x turns) with nan for the last ``turns`` values of each episode: its closing."""
    there = ~np.isnan(values)
    to_come = there[:, ::-1].cumsum(axis=1)[:, ::-1]  # values from here to the end, this one included
    return np.where(to_come > turns, values, np.nan)


def mixed_slope(values: Floats, groups: Sequence[str], covariate: Floats | None = None) -> MixedSlopeResults:
    """Fit the model above.

    ``values``: episodes x turns, nan where missing; ``covariate``: the same shape, values with a nan there are left
    out; ``groups``: the cluster of each episode. Undefined with a note for fewer than 3 episodes that have a value, for
    too few values, for a covariate that does not vary apart from the turn, and where the search does not converge.
    """
    there = ~np.isnan(values) if covariate is None else ~(np.isnan(values) | np.isnan(covariate))
    used = np.flatnonzero(there.any(axis=1))
    counts = {"n": len(used), "turns": int(there.sum())}
    columns = 2 if covariate is None else 3
    if len(used) < MIN_EPISODES:
        note = f"undefined: {how_many(len(used), 'conversation')}, at least {MIN_EPISODES} are needed"
        return MixedSlopeResults.undefined(**counts, note=note)
    if counts["turns"] < len(used) + columns + 1:
        note = f"undefined: {counts['turns']} turns are too few for {len(used)} conversations"
        return MixedSlopeResults.undefined(**counts, note=note)
    design, scale = _design(there[used], None if covariate is None else covariate[used])
    y = np.where(there, values, 0.0)[used]
    if np.linalg.matrix_rank(design.reshape(-1, columns)[there[used].ravel()]) < columns:
        note = "undefined: the turn, or the covariate beside it, does not vary"
        return MixedSlopeResults.undefined(**counts, note=note)
    sums = _Sums.of(design, y)
    codes = np.unique(np.asarray(groups)[used], return_inverse=True)[1]
    ordinary = np.linalg.solve(sums.xx.sum(axis=0), sums.xy.sum(axis=0))
    rest = sums.yy.sum() - sums.xy.sum(axis=0) @ ordinary
    if rest <= 1e-12 * max(float(sums.yy.sum()), 1e-12):
        slope, alike = float(ordinary[1] / scale[0]), all_alike(len(set(codes.tolist())))
        note = "every value lies on one line: no variation to model"
        return MixedSlopeResults.undefined(mean=slope, **counts, reason=alike, note=note)
    theta, converged = _search(sums)
    if not converged:
        return MixedSlopeResults.undefined(**counts, note="undefined: the likelihood search did not converge")
    return _figures(sums, theta, codes, scale, counts)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Cross products of each conversation: X (n x p), Z (n x 2: its first two columns), y."""

    xx: Floats  # episodes x p x p
    xy: Floats  # episodes x p
    yy: Floats  # episodes
    n: int

    @classmethod
    def of(cls, design: Floats, y: Floats) -> _Sums:
        moved = design.transpose(0, 2, 1)
        n = int(design[..., 0].sum())
        return cls(moved @ design, (moved @ y[..., None])[..., 0], (y**2).sum(axis=1), n)

    def weighted(self, theta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return X'V^-1 X, X'V^-1 y, y'V^-1 y and log \\|V\\| of each conversation, V = I + Z L L' Z', by Woodbury."""
        factor = np.array([[theta[0], 0.0], [theta[1], theta[2]]])
        zx, zy = factor.T @ self.xx[:, :2, :], self.xy[:, :2] @ factor
        inner = np.eye(2) + factor.T @ self.xx[:, :2, :2] @ factor
        solved = np.linalg.solve(inner, np.concatenate([zx, zy[..., None]], axis=2))
        across, down = solved[..., :-1], solved[..., -1]
        flipped = zx.transpose(0, 2, 1)
        xx, xy = self.xx - flipped @ across, self.xy - (flipped @ down[..., None])[..., 0]
        return xx, xy, self.yy - (zy * down).sum(axis=1), np.linalg.slogdet(inner)[1]


def _design(there: Bools, covariate: Floats | None) -> tuple[Floats, Floats]:
    """Return columns 1, turn, covariate, centred and scaled to unit spread, 0 where no value is; and the two scales."""
    turn = np.broadcast_to(np.arange(there.shape[1], dtype=np.float64), there.shape)
    columns, scale = [np.ones(there.shape)], []
    for raw in (turn, covariate):
        if raw is None:
            continue
        kept = raw[there]
        spread = float(kept.std())
        scale.append(spread if spread > 0 else 1.0)
        columns.append((raw - kept.mean()) / scale[-1])
    return np.where(there[..., None], np.stack(columns, axis=-1), 0.0), np.array([*scale, 1.0][:2])


def _search(sums: _Sums) -> tuple[Floats, bool]:
    """Return the Cholesky factor (three numbers) of least REML criterion, and whether the search converged."""
    from scipy.optimize import minimize  # here, so that importing this module stays instant

    p = sums.xy.shape[1]

    def criterion(theta: Floats) -> float:
        xx, xy, yy, logdet = (part.sum(axis=0) for part in sums.weighted(theta))
        beta = np.linalg.solve(xx, xy)
        rest = max(float(yy - xy @ beta), 1e-300)
        return float((sums.n - p) * math.log(rest) + logdet + np.linalg.slogdet(xx)[1])

    # signs do not matter, so 0 is always level there: a bound at 0 would hold the search where it first touches it
    bounds = [(-WIDEST, WIDEST)] * 3
    runs: list[Any] = []
    for start in STARTS:
        runs.append(minimize(criterion, start, method="L-BFGS-B", jac="3-point", bounds=bounds, options=EXACT))
        if runs[-1].success:
            return np.asarray(runs[-1].x), True
    # near a border the line search may give up over the last digits of its gradients; a simplex needs none
    best = min(runs, key=lambda run: float(run.fun))
    polished = minimize(criterion, best.x, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-6, "fatol": 1e-8})
    return np.asarray(polished.x), bool(polished.success)


def _figures(sums: _Sums, theta: Floats, codes: Ints, scale: Floats, counts: dict[str, int]) -> MixedSlopeResults:
    from scipy.special import stdtrit

    xx, xy, yy, _ = sums.weighted(theta)
    bread = np.linalg.inv(xx.sum(axis=0))
    beta = bread @ xy.sum(axis=0)
    variance = float(yy.sum() - xy.sum(axis=0) @ beta) / (sums.n - len(beta))
    clusters = int(codes.max()) + 1
    lo = hi = UNDEFINED
    reason = ""
    note = (
        ""
        if clusters >= FEWEST
        else f"no interval: at least {FEWEST} people are needed, there {'is' if clusters == 1 else 'are'} {clusters}"
    )
    if clusters >= FEWEST:
        scores = np.zeros((clusters, len(beta)))
        np.add.at(scores, codes, xy - xx @ beta)
        robust = bread @ (scores.T @ scores) @ bread * clusters / (clusters - 1)
        half = -float(stdtrit(clusters - 1, 0.025)) * math.sqrt(robust[1, 1])
        reason = all_alike(clusters) if half <= ALIKE else ""
        lo, hi = (UNDEFINED if reason else float((beta[1] + side) / scale[0]) for side in (-half, half))
    return MixedSlopeResults(
        mean=float(beta[1] / scale[0]),
        lo=lo,
        hi=hi,
        reason=reason,
        n=counts["n"],
        turns=counts["turns"],
        covariate=float(beta[2] / scale[1]) if len(beta) > 2 else UNDEFINED,
        sd_level=math.sqrt(variance) * abs(float(theta[0])),
        sd_slope=float(math.sqrt(variance * float(theta[1] ** 2 + theta[2] ** 2)) / scale[0]),
        sd_turn=math.sqrt(variance),
        note=note,
    )
