"""The last screen of a run: what each candidate did, in one table, and where the report lies."""

from collections.abc import Sequence
from pathlib import Path

from holdfast.core.wording import how_many
from holdfast.simulator.cli.console import interval_cell, print_lines, print_table
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.harm import harm_line
from holdfast.simulator.results.label_model import RunLabels
from holdfast.simulator.results.model import Results
from holdfast.simulator.results.outcomes import outcome_lines

#: Turns whose adherence is shown, as far as the study reaches; its last turn too.
SHOWN_TURNS = (1, 8, 16, 24, 50, 100)


def print_summary(results: Results, out: Path) -> None:
    """Print the headline, the table of candidates, and the report's path."""
    turns = sorted({*(turn for turn in SHOWN_TURNS if turn <= results.turns), results.turns})
    gaps = [] if results.feeler == "formula" else ["gap", "gap reduction [95 %]"]
    columns = ["candidate", *(f"turn {turn}" for turn in turns), "retention [95 %]", *gaps, "goals"]
    rows = [[name, *_row(candidate, turns, gaps=bool(gaps))] for name, candidate in results.candidates.items()]
    print_lines(f"\n{results.headline}\n")
    print_table(columns, rows, numbers=range(1, len(columns)))
    if results.remark:
        print_lines(f"\n{results.remark}")
    if left := results.unfinished_episodes:
        which = f"{left:,} of {how_many(results.episodes, 'conversation')} {'is' if left == 1 else 'are'} unfinished"
        print_lines(f"\nNot over yet: {which}; figures may still move.")
    for name, candidate in results.candidates.items():
        if "unrated" in candidate.notes:
            print_lines(f"\n{name}: {candidate.notes['unrated']}")
    if harm := harm_line(results.harmed):
        print_lines(f"\n{harm}")
    if results.unvalidated:
        print_lines(f"\n{results.unvalidated}")
    if results.labels is not None:
        print_lines(f"\n{labels_line(results.labels)}")
    for line in failures(results):
        print_lines(line)
    for line in [*outcome_lines(results.candidates), *played_by(results)]:
        print_lines(f"\n{line}")
    if results.not_reproducible:
        print_lines(f"\nnot byte-reproducible: {'; '.join(results.not_reproducible)}")
    print_lines(f"\nreport   {out / 'report.html'}\nresults  {out / 'results.json'}")


def labels_line(labels: RunLabels) -> str:
    """Say who labelled how much, and whether the rater errs alike for all candidates."""
    who = "language models" if labels.models else "people"
    counted = how_many(labels.labelled, "reply was", "replies were")
    biased = [f"{each.rater} ({pair})" for each in labels.errors if each.dimension == "mean" for pair in each.biases]
    said = f"a rater's error differs between candidates: {', '.join(biased)}" if biased else ""
    return f"{counted} labelled by {who}; {said or 'no rater surely errs more for one candidate than for another'}"


def failures(results: Results) -> list[str]:
    """Return lines that say how many conversations failed, and why; none where none did."""
    if not results.failed_episodes:
        return []
    which = f"{results.failed_episodes:,} of {how_many(results.episodes, 'conversation')} failed"
    causes = [f"  {count:,} x {cause}" for cause, count in results.failures.items()]
    return ["", f"{which}; --resume holds them again. The commonest causes:", *causes]


def played_by(results: Results) -> list[str]:
    """A line for each model that played users: how much of what it did was its own."""
    models = {name: simulator.model for name, simulator in (results.simulators or {}).items()}
    return [
        f"users played by {name}: {model.own_messages:.0%} of the messages and {model.own_judgements:.0%} of the "
        "judgements are the model's own; rules stood in for the rest"
        for name, model in models.items()
        if model is not None and model.messages and model.judgements
    ]


def _row(candidate: CandidateResults, turns: Sequence[int], *, gaps: bool) -> list[object]:
    by_turn = {point.turn: point.mean for point in candidate.adherence_by_turn}
    retention, reduction = (
        interval_cell(each.mean, each.lo, each.hi) for each in (candidate.retention, candidate.gap_reduction)
    )
    goals = candidate.goals.served.mean if candidate.goals else None
    return [*map(by_turn.get, turns), retention, *((candidate.gap_abs.mean, reduction) if gaps else ()), goals]
