"""Tasks in which a candidate adheres less than the baseline: what an average over tasks hides."""

from collections.abc import Mapping, Sequence

import numpy as np

from holdfast.simulator.measure.bootstrap import mean_interval
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.pairwise import align
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.harm_model import TaskHarm

HARM = 0.05  # adherence; smaller losses are not named. holdfast's assumption


def harmed_tasks(
    measured: Mapping[str, MeasuredCandidate], baseline: str | None, context: ResultsContext
) -> list[TaskHarm]:
    """Find the tasks in which a candidate loses :data:`HARM` or more, the worst first."""
    if baseline is None:
        return []
    rival, harmed = measured[baseline], list[TaskHarm]()
    for name, each in measured.items():
        own, theirs = align(each.arrays.user_keys, rival.arrays.user_keys)
        difference = each.adherence_mean[own] - rival.adherence_mean[theirs]
        tasks = np.array([each.arrays.tasks[row] for row in own])
        for task in sorted(set(tasks.tolist())) if name != baseline else ():
            rows = np.flatnonzero(tasks == task)
            groups = [each.arrays.groups[own[row]] for row in rows]
            interval = mean_interval(difference[rows], context.resamples(groups, "harm", task))
            people = len({group for row, group in zip(rows, groups, strict=True) if not np.isnan(difference[row])})
            if interval.mean <= -HARM:
                figure = Estimate.model_validate(interval)
                harmed.append(TaskHarm(candidate=name, task=task, difference=figure, people=people))
    return sorted(harmed, key=lambda each: each.difference.mean or 0.0)


def harm_line(harmed: Sequence[TaskHarm], most: int = 6) -> str:
    """Say in which tasks candidates adhere less than the baseline, what is shown first; "" where none does."""
    kinds = {
        "shown": [each for each in harmed if each.shown],
        "not shown": [each for each in harmed if not each.shown and not each.untested],
        "too few people to be tested": [each for each in harmed if each.untested],
    }
    parts, left = list[str](), most
    for kind, members in kinds.items():
        named, left = members[:left], max(0, left - len(members))
        more = f" and {len(members) - len(named)} more" if len(members) > len(named) else ""
        if members:
            parts.append(f"{kind}: {', '.join(each.in_words for each in named)}{more}".replace(":  and", ":"))
    return f"less adherence than the baseline ({'; '.join(parts)})" if parts else ""
