"""Files of conversations -> results: the whole of ``holdfast measure``, for Python."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from holdfast.agents.raters.protocol import EXPRESSED, Scale
from holdfast.agents.raters.registry import require_targets
from holdfast.core.errors import InputError
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import did_you_mean, printable, quote
from holdfast.personas.schema import EmpathyPattern
from holdfast.personas.world import World, shipped_world
from holdfast.simulator.logs.measuring import LINEAR, OnScores, Progress, Raters, measure_all
from holdfast.simulator.logs.model import LogFile, LogPattern, LogResults
from holdfast.simulator.logs.parts import Targets
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.results import log_results
from holdfast.simulator.logs.scores import raters_cell, score_columns, score_rows
from holdfast.simulator.logs.sources import LogSource, read_all
from holdfast.simulator.logs.tallies import FILE, Tallies
from holdfast.simulator.measure.bootstrap import DRAWS
from holdfast.simulator.row_files import require_row_file, row_file


def measure_files(
    sources: Sequence[LogSource],
    *,
    by: Sequence[str] | None = None,
    pattern: str | None = None,
    world: World | None = None,
    raters: Raters = LINEAR,
    keep: int = 0,
    workers: int | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    scores_out: Path | None = None,
    progress: Progress = lambda _conversations, _turns: None,
) -> tuple[LogResults, Tallies]:
    """Results, and the tallies that they come from (with ``keep`` conversations of each group).

    ``by``: columns to group by; None takes the usual ones of the format. ``pattern``: an empathy pattern, or a task
    whose pattern is meant; without it adherence is measured only where a log names one of the tasks of ``world``
    (None: those that holdfast ships). ``raters``:
    by name; the first makes the curves, on the scale of ``pattern`` (of expressed empathy without one). Those of
    :func:`read_stored` have given their scores before. ``scores_out``: a new file for the scores of every reply, in the
    format of its ending (columns: :func:`score_columns`).

    Raises InputError for an unknown pattern or column, where no conversation could be read, for a first rater of
    another scale, and where ``scores_out`` is there already or cannot be written.
    """
    if scores_out is not None:
        require_row_file(scores_out, "--scores-out")
    name, primary = next(iter(raters.items()))
    world = world or shipped_world()
    asked = None if pattern is None else find_pattern(pattern, world)
    _require_comparable(name, primary.scale, asked)
    usual = tuple(dict.fromkeys(column for source in sources for column in source.format.by))
    grouped = usual if by is None else tuple(by)
    conversations: Iterator[Conversation | SkippedLine] = read_all(sources)
    if by is None:
        conversations, grouped = _present(conversations, usual)
    target_of = partial(_target, asked=asked, world=world, scale=primary.scale)
    with _scores_into(scores_out, raters, target_of) as on_scores:
        tallies = measure_all(
            conversations,
            by=grouped,
            target_of=target_of,
            raters=raters,
            keep=keep,
            workers=workers,
            on_scores=on_scores,
            progress=progress,
        )
        _check(tallies, sources, () if by is None else grouped)
    results = log_results(
        tallies,
        files=[LogFile(name=source.name, format=source.format.word) for source in sources if source.unread is None],
        by=grouped,
        pattern=None if asked is None else _asked(asked),
        raters=raters,
        seed=seed,
        draws=draws,
    )
    return results, tallies


@contextmanager
def _scores_into(path: Path | None, raters: Raters, target_of: Targets) -> Iterator[OnScores]:
    """Yield what writes the scores of each batch to ``path``, or does nothing where there is none."""
    if path is None:
        yield lambda _batch: None
        return
    about = raters_cell(raters)
    with row_file(path, score_columns(raters)) as write:
        yield lambda batch: write(score_rows(batch, target_of, about))


def find_pattern(name: str, world: World) -> EmpathyPattern:
    """The pattern of that id, or of the task of that id. Raises InputError where neither is there."""
    if name in world.patterns:
        return world.patterns[name]
    if name in world.tasks:
        return world.pattern_of(name)
    known = (*world.patterns, *world.tasks)
    raise InputError(
        f"--pattern: unknown pattern or task {quote(name)}{did_you_mean(name, known)} (allowed: {', '.join(known)}; "
        "your own by --patterns FILE and --tasks FILE)"
    )


def _asked(pattern: EmpathyPattern) -> LogPattern:
    return LogPattern(id=pattern.id, title=pattern.title, target=pattern.target.model_dump())


def _require_comparable(name: str, scale: Scale, asked: EmpathyPattern | None) -> None:
    """Raise InputError unless the first rater's scale is that of the pattern, or expressed empathy without one."""
    if asked is not None:
        require_targets(name, scale, [asked])
    elif scale.id != EXPRESSED.id:
        raise InputError(
            f"the first rater makes the curves; {quote(name)} rates {scale.id}: put a rater of expressed empathy "
            "first, such as linear, or name a pattern on that scale with --pattern"
        )


def _target(
    conversation: Conversation, asked: EmpathyPattern | None, world: World, scale: Scale
) -> Sequence[float] | None:
    if asked is not None:
        return asked.target.on(scale.dimensions)
    task = conversation.columns.get("task")
    return world.pattern_of(task).target.on(scale.dimensions) if task and task in world.tasks else None


def _present(
    conversations: Iterator[Conversation | SkippedLine], usual: Sequence[str]
) -> tuple[Iterator[Conversation | SkippedLine], tuple[str, ...]]:
    """The usual columns that the first conversation has, and all conversations again."""
    waiting: list[Conversation | SkippedLine] = []
    for record in conversations:
        waiting.append(record)
        if isinstance(record, Conversation) or len(waiting) > 1000:
            break
    first: Mapping[str, str] = waiting[-1].columns if waiting and isinstance(waiting[-1], Conversation) else {}

    def again() -> Iterator[Conversation | SkippedLine]:
        yield from waiting
        yield from conversations

    return again(), tuple(column for column in usual if column in first)


def _check(tallies: Tallies, sources: Sequence[LogSource], by: Sequence[str]) -> None:
    if not tallies.groups:
        named = ", ".join(printable(source.path.name) for source in sources)
        why = "".join(
            f"\n{n:,} x {reason}: {tallies.places[kind, reason][0]}"
            for (kind, reason), n in tallies.skipped.most_common(5)
        )
        words = ", ".join(dict.fromkeys(source.format.word for source in sources))
        raise InputError(f"{named}: no conversation could be read as {words}; is --format right?{why}")
    for column in by:
        if column not in tallies.grouped_by:
            known = [FILE, *(column for column, _ in tallies.columns.most_common(30))]
            listed = ", ".join(quote(column)[1:-1] for column in known)
            hint = did_you_mean(column, tallies.columns)
            raise InputError(f"--by: no conversation has a column {quote(column)}{hint} (columns: {listed})")
