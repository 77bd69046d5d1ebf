"""Goals that were served: the curve beside adherence, and which goals were left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.simulator.measure.estimates import MeanEstimate
from holdfast.simulator.measure.goals import GoalServed
from holdfast.simulator.report.axes import SHARE
from holdfast.simulator.report.lines import LineChart, line_chart
from holdfast.simulator.report.series import Series
from holdfast.simulator.results.candidate_model import CandidateResults, SimulatorResults

BY_RULES = (
    "Embedded users go by words: a reply serves the goal that their message asked about if it names the goal and says "
    "something to do or, for people who want much empathy, talks it through. What an assistant says it has done "
    "itself, or does before it is asked, does not count."
)
BY_MODEL = "Users that a model plays count a goal that they asked about as served once the model says that it is done."
SHOWN = 30  # goals in the table, those that are served least


@dataclass(frozen=True, slots=True)
class GoalsView:
    """``goals``: (persona, goal, what each candidate of ``rows`` did for it); ``left_out``: how many more there are;
    ``how_counted``: when the users count a goal as served."""

    chart: LineChart
    rows: tuple[tuple[Series, MeanEstimate], ...]
    goals: tuple[tuple[str, str, tuple[GoalServed | None, ...]], ...]
    left_out: int
    how_counted: str


def goals_view(
    rows: Sequence[tuple[Series, CandidateResults]], turns: int, simulators: Mapping[str, SimulatorResults]
) -> GoalsView | None:
    """Draw the share of goals served; None where no candidate's goals are known. ``simulators``: none, or all."""
    known = [(series, part.goals) for series, part in rows if part.goals is not None]
    if not known:
        return None
    by_goal: dict[tuple[str, str], list[GoalServed | None]] = {}
    for place, (_, part) in enumerate(known):
        for goal in part.by_goal:
            by_goal.setdefault((goal.persona, goal.goal), [None] * len(known))[place] = goal
    ranked = sorted(by_goal.items(), key=lambda item: (_share(item[1]), item[0]))
    chart = line_chart(
        "goals",
        "Goals served by turn",
        "Mean share of a persona's goals that a conversation has served up to each turn, one line per candidate, with "
        "95 % bands.",
        [(series, part.served_by_turn) for series, part in known],
        turns=turns,
        y=SHARE,
        height=260,
        y_label="share of goals served",
    )
    return GoalsView(
        chart=chart,
        rows=tuple((series, part.served) for series, part in known),
        goals=tuple((persona, goal, tuple(served)) for (persona, goal), served in ranked[:SHOWN]),
        left_out=max(0, len(ranked) - SHOWN),
        how_counted=_how_counted(simulators),
    )


def _how_counted(simulators: Mapping[str, SimulatorResults]) -> str:
    """Say it of each kind of users; without ``simulators`` they are embedded ones."""
    kinds = {each.model is not None for each in simulators.values()} or {False}
    return " ".join(BY_MODEL if by_model else BY_RULES for by_model in sorted(kinds))


def _share(served: Sequence[GoalServed | None]) -> float:
    met = [goal for goal in served if goal is not None]
    return sum(goal.served for goal in met) / max(1, sum(goal.episodes for goal in met))
