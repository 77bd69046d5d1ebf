"""The last screen of a run: what each candidate did, in one table, and where the report lies."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from holdfast.core.wording import how_many
from holdfast.simulator.cli.console import interval_cell, print_lines, print_table
from holdfast.simulator.measure.bootstrap import FEWEST, too_few
from holdfast.simulator.measure.decay.holds import HoldingVerdict
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.harm import harm_line
from holdfast.simulator.results.label_model import RunLabels
from holdfast.simulator.results.model import Results
from holdfast.simulator.results.outcomes import brief_outcomes
from holdfast.simulator.results.simulators import verdicts_that_differ

VERDICTS: Mapping[HoldingVerdict, str] = {"holds": "yes", "does not hold": "no", "cannot be told": "cannot tell"}


def print_summary(results: Results, out: Path) -> None:
    """Print the headline, the table of candidates, and the report's path: one screen of 24 lines of 100 columns where
    little went wrong."""
    turns = sorted({1, results.turns})
    gap = [] if results.feeler == "formula" else ["gap"]  # what restates the rater is no finding
    columns = ["candidate", *(f"turn {turn}" for turn in turns), "curve", "retention [95 %]", *gap, "holds"]
    rows = [[name, *_row(candidate, turns, gaps=bool(gap))] for name, candidate in results.candidates.items()]
    print_lines(f"\n{results.headline}\n")
    print_table(columns, rows, numbers=range(1, len(columns) - 1))
    print_lines(
        "\n".join([*_cautions(results), "", f"report   {out / 'report.html'}", f"results  {out / 'results.json'}"])
    )


def _cautions(results: Results) -> list[str]:
    """Return what must be known beside the table, a line each."""
    lines = [results.remark] if results.remark else []
    people = max((each.people for each in results.candidates.values()), default=FEWEST)
    if few := too_few(people):
        lines.append(f"{few}; no interval and no verdict is given")
    if left := results.unfinished_episodes:
        which = f"{left:,} of {how_many(results.episodes, 'conversation')} {'is' if left == 1 else 'are'} unfinished"
        lines.append(f"Not over yet: {which}; figures may still move.")
    for note in ("unrated", "reminders"):
        lines += [f"{name}: {each.notes[note]}" for name, each in results.candidates.items() if note in each.notes]
    alike = {name: each.retention.reason for name, each in results.candidates.items() if each.retention.reason}
    lines += [f"{name}: retention without limits: {reason}" for name, reason in alike.items()]
    if harm := harm_line(results.harmed, most=3):
        lines.append(harm)
    lines += [each.in_words for each in results.trainings]
    if results.unvalidated:
        lines.append(results.unvalidated)
    if results.labels is not None:
        lines.append(labels_line(results.labels))
    if results.user_faults is not None and results.user_faults.marked:
        lines.append(f"{results.user_faults.in_words}; without them: {results.user_faults.headline_without}")
    lines += [*failures(results), *brief_outcomes(results.candidates), *played_by(results)]
    if results.not_reproducible:
        lines.append(f"not byte-reproducible: {'; '.join(results.not_reproducible)}")
    return lines


def labels_line(labels: RunLabels) -> str:
    """Say who labelled how much, and whether the rater errs alike for all candidates."""
    who = "language models" if labels.models else "people"
    counted = how_many(labels.labelled, "reply was", "replies were")
    biased = [f"{each.rater} ({pair})" for each in labels.errors if each.dimension == "mean" for pair in each.biases]
    if biased:
        said = f"a rater's error differs between candidates: {', '.join(biased)}"
    elif any(differs.mean is not None for each in labels.errors for differs in each.differs.values()):
        said = "no rater surely errs more for one candidate than for another"
    else:
        said = "whether a rater errs alike for all candidates cannot be told from them"
    apart = "" if labels.candidates else ", on another scale than the patterns"
    return f"{counted} labelled by {who}{apart}; {said}"


def failures(results: Results) -> list[str]:
    """Return lines that say how many conversations failed, and why; none where none did."""
    if not results.failed_episodes:
        return []
    which = f"{results.failed_episodes:,} of {how_many(results.episodes, 'conversation')} failed"
    causes = [f"  {count:,} x {cause}" for cause, count in results.failures.items()]
    return [f"{which}; --resume holds them again. The commonest causes:", *causes]


def played_by(results: Results) -> list[str]:
    """A line for each candidate that holds with some simulators only, and for each model that played users: how much of
    what it did was its own."""
    moved = [
        f"whether {name} holds depends on who played the users: "
        + ", ".join(f"{VERDICTS[verdict]} with {simulator}" for simulator, verdict in by.items())
        for name, by in verdicts_that_differ(results.simulators or {}).items()
    ]
    models = {name: simulator.model for name, simulator in (results.simulators or {}).items()}
    return moved + [
        f"users played by {name}: {model.own_messages:.0%} of the messages and {model.own_judgements:.0%} of the "
        "judgements are the model's own; rules stood in for the rest"
        for name, model in models.items()
        if model is not None and model.messages and model.judgements
    ]


def _row(candidate: CandidateResults, turns: Sequence[int], *, gaps: bool) -> list[object]:
    by_turn = {point.turn: point.mean for point in candidate.adherence_by_turn}
    retention = interval_cell(candidate.retention)
    verdict = VERDICTS[candidate.holding.holds.verdict]
    gap = [candidate.gap_abs.mean] if gaps else []
    return [*map(by_turn.get, turns), candidate.area.mean, retention, *gap, verdict]
