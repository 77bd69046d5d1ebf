"""Arrays beside adherence: the distance from each mechanism's target, and the targets themselves."""

from collections.abc import Mapping, Sequence

import numpy as np

from holdfast.simulator.measure.arrays import Floats, present_mean


def mechanism_error(expressed: Floats, target: Floats) -> Floats:
    """\\|expressed - target\\| per mechanism, in levels, 0-2; same shape as ``expressed``."""
    return np.abs(expressed - target)


def targets(tasks: Sequence[str], target_of_task: Mapping[str, Sequence[float]]) -> Floats:
    """The target of each episode, episodes x 1 x 3, ready to stand beside episodes x turns x 3.

    Raises KeyError naming a task without a target.
    """
    return np.array([target_of_task[task] for task in tasks], dtype=np.float64).reshape(-1, 1, 3)


def first_turns(values: Floats, turns: int = 2) -> Floats:
    """Mean of each episode's first ``turns`` turns (episodes x turns -> episodes); nan where there is none."""
    return present_mean(values[:, :turns], axis=1)
