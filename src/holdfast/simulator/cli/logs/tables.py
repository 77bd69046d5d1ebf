"""Print the results of ``holdfast measure``: a table of groups, survival by turn, notes and skipped lines."""

from collections.abc import Iterator, Mapping

from holdfast.core.wording import how_many, printable
from holdfast.simulator.cli.console import UNDEFINED, interval_cell, number_cell, print_lines, print_table
from holdfast.simulator.logs.methods import SLOPE, SLOPE_GIVEN_LENGTH
from holdfast.simulator.logs.model import GroupResults, LogDifference, LogResults, MeasureResults, SkippedResults
from holdfast.simulator.measure.decay.survival import SurvivalPoint
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.report.values import p_value

SHOWN_SKIPS = 8
SHOWN_PLACES = 3  # of each reason
_UNITS = {"adherence": "adherence", "expressed": "expressed empathy"}
MOST_TURNS = 12  # columns of the survival table


def print_results(results: LogResults) -> None:
    """Print all tables, the notes, and what was skipped."""
    print_groups(results)
    print_differences(results)
    print_survival(results)
    print_basis(results)


def print_groups(results: LogResults) -> None:
    """Print the table of groups, with the columns that these data have."""
    groups = results.groups
    main = results.main_measure
    columns = ["/".join(results.by) or "group", "n", "turns"]
    emotion = any(group.final_emotion is not None for group in groups.values())
    columns += ["final emotion [95 %]", "successes", "failures"] if emotion else []
    columns += (
        [f"{_UNITS[main]} [95 %]", "first → last quarter", "retention [95 %]", "in 10 turns", "length held"]
        if main
        else []
    )
    labels = [
        *shown_labels(results),
        *(f"{name}: {witness.rater.scale.id}" for name, witness in results.witnesses.items()),
    ]
    columns += [f"{name.replace('_', ' ')} [95 %]" for name in labels]
    rows = [_row(name, group, main, labels, emotion) for name, group in groups.items()]
    print_table(columns, rows, numbers=range(1, len(columns)))
    if main:
        print_lines(f"in 10 turns: the slope, times ten: {SLOPE}. length held: {SLOPE_GIVEN_LENGTH}.")


def print_survival(results: LogResults) -> None:
    """Print the share of conversations that the user has not left in failure, by turn, if the log says who left."""
    curves = {
        name: {point.turn: point for point in (group.exits.survival if group.exits else ())}
        for name, group in results.groups.items()
    }
    turns = sorted({turn for curve in curves.values() for turn in curve})
    if not turns or not any(p.events for curve in curves.values() for p in curve.values()):
        return
    shown = turns if len(turns) <= MOST_TURNS else [turns[len(turns) * k // MOST_TURNS] for k in range(MOST_TURNS)]
    shown = sorted({*shown[:-1], turns[-1]})
    print_lines(
        "\nshare of conversations not left in failure, by turn (Kaplan-Meier; leaving early in failure is the event)"
    )
    rows = [
        [printable(name), *(number_cell(curve[turn].share if turn in curve else None) for turn in shown)]
        for name, curve in curves.items()
    ]
    rows = [[*row, _last(curves[name])] for row, name in zip(rows, curves, strict=True)]
    print_table(["turn", *map(str, shown), "at the end [95 %]"], rows, numbers=range(1, len(shown) + 2))


def print_differences(results: LogResults) -> None:
    """Print the differences between groups: a row for every two, with level, slope, and p of each."""
    tested = sum(row.p is not None for row in results.differences)
    if not results.differences:
        return
    print_lines(
        f"\ndifferences in {_UNITS[results.differences[0].measure]} (95 %: bootstrap of speakers; "
        f"p: permutation of speakers, Holm over {how_many(tested, 'test')})"
    )
    by_pair: dict[tuple[str, str], dict[str, LogDifference]] = {}
    for row in results.differences:
        by_pair.setdefault((row.a, row.b), {})[row.figure] = row
    cells = [
        [
            printable(f"{a} minus {b}"),
            _people(pair["level"]),
            *_tested(pair["level"], pair["level"]),
            *_tested(pair["slope"].times(10), pair["slope"]),
        ]
        for (a, b), pair in by_pair.items()
    ]
    columns = ["groups", "speakers", "level [95 %]", "p", "in 10 turns [95 %]", "p"]
    print_table(columns, cells, numbers=range(1, len(columns)))


def _people(row: LogDifference) -> str:
    both = f", {row.people_both} in both" if row.people_both else ""
    return f"{row.people_a}, {row.people_b}{both}"


def _tested(estimate: Estimate, row: LogDifference) -> list[str]:
    sign = "+" if estimate.mean is not None and estimate.mean > 0 else ""
    return [sign + interval_cell(estimate), row.note or p_value(row.p_holm)]


def _last(curve: Mapping[int, SurvivalPoint]) -> str:
    if not curve:
        return UNDEFINED
    last = curve[max(curve)]
    return interval_cell(Estimate(mean=last.share, lo=last.lo, hi=last.hi))


def shown_labels(results: LogResults) -> list[str]:
    """Return the labels of people that get a column: empathy and related ones, at most three."""
    groups = results.groups.values()
    names = {n for g in groups for n in g.labels} | {n for g in groups for n in g.measures if n in _TURN_LABELS}
    return [name for name in ("empathy", *_TURN_LABELS, "desired") if name in names][:3]


_TURN_LABELS = ("perceived", "feedback")


def _row(name: str, group: GroupResults, main: str, labels: list[str], emotion: bool) -> list[str]:
    cells = [printable(name), f"{group.n:,}", f"{group.turns:,}"]
    if emotion:
        cells += [interval_cell(group.final_emotion, 1), _count(group.successes), _count(group.failures)]
    if main:
        cells += _measured(group.measures[main]) if main in group.measures else [UNDEFINED, "- → -", *[UNDEFINED] * 3]
    for label in labels:
        of_turns = group.measures[label].mean if label in group.measures else None
        cells.append(interval_cell(group.labels.get(label) or of_turns))
    return cells


def _measured(measure: MeasureResults) -> list[str]:
    ends = [number_cell(quarter.mean) for quarter in (measure.first_quarter, measure.last_quarter)]
    slopes = [None if slope is None else slope.mean for slope in (measure.slope_per_turn, measure.slope_given_length)]
    cells = [interval_cell(measure.mean), " → ".join(ends), interval_cell(measure.retention)]
    return cells + [UNDEFINED if slope is None else f"{10 * slope:+.2f}" for slope in slopes]


def _count(value: int | None) -> str:
    return UNDEFINED if value is None else str(value)


def print_basis(results: LogResults) -> None:
    """Print the counts behind the table, the rater, the notes and what was skipped."""
    print_lines(
        f"\n{how_many(results.conversations, 'conversation')}, {how_many(results.turns, 'turn')}, "
        f"{how_many(results.rated_replies, 'reply', 'replies')} rated by {results.rater.id} {results.rater.version}; "
        "intervals are 95 %, bootstrapped by speaker."
    )
    for note in results.notes:
        print_lines(f"note: {note}")
    for line in skipped_lines(results.skipped):
        print_lines(line)


def skipped_lines(skipped: SkippedResults) -> Iterator[str]:
    """Yield a line per reason why something was skipped, each with its first places."""
    for skip in skipped.by_reason[:SHOWN_SKIPS]:
        first, *more = skip.first[:SHOWN_PLACES]
        places = [first, *(text.rpartition(f": {skip.reason}")[0] for text in more)]
        yield printable(f"skipped: {skip.n:,} x {skip.kind}: {skip.reason}, first at {', '.join(places)}")
    rest = skipped.by_reason[SHOWN_SKIPS:]
    if rest:
        yield f"skipped: {sum(skip.n for skip in rest):,} more for {len(rest)} other reasons (--json lists them)"
