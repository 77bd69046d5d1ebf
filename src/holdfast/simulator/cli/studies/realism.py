"""``holdfast realism``: how far simulated users are from people, and whether they are at fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from holdfast.core.errors import InputError
from holdfast.simulator.cli.console import SEED, Output, interval_cell, output_options, print_lines, print_table

if TYPE_CHECKING:
    from holdfast.simulator.realism.model import RealismReport, SourceHabits, ToldApart

_PATH = click.Path(path_type=Path)
_HABITS = (
    ("words", "words"),
    ("questions", "questions"),
    ("stickiness", "same act"),
    ("stickiness_by_chance", "by chance"),
    ("line_to_line", "like itself"),
    ("agreeable", "agrees"),
    ("over_cooperation", "agrees after poor"),
    ("intention_again", "same intent"),
    ("emotion_carry", "emotion carries"),
    ("prompt_to_line", "like persona"),
    ("answers", "answers"),
)


@click.command(
    epilog="""\b
Examples:
  holdfast realism runs/mine --against seekers.jsonl
  holdfast realism runs/a runs/b --against esconv.jsonl --against ieval.csv
      (two logs of people: how well they are told apart is the floor)
  holdfast realism study.yaml --replies seekers.jsonl --against seekers.jsonl
      (holds the study's users with a log's replies, without its model)
  holdfast realism study.yaml --voice natural --voice grammar \\
      --replicates 4 --turns 12 --replies esconv.jsonl --against esconv.jsonl
  holdfast realism runs/mine --against chats.csv --json | jq .told_apart

\b
AUC .5: a classifier cannot tell simulated users from people that it has not
seen; 1: always. docs/realism.md says how it is made and what it does not see."""
)
@click.argument("sources", nargs=-1, required=True, type=_PATH, metavar="STUDY|RUN...")
@click.option("--against", multiple=True, required=True, type=_PATH, metavar="FILE", help="Log of real people; repeat.")
@click.option("--format", "word", help="Format of the logs of --against; recognised if left out.")
@click.option("--replies", type=_PATH, metavar="FILE", help="STUDY: users hear replies of this log, not of its model.")
@click.option(
    "--voice", "voices", multiple=True, type=click.Choice(["natural", "grammar"]), help="STUDY: embedded users'."
)
@click.option("--turns", type=click.IntRange(1, 10_000), help="STUDY: instead of its number of turns.")
@click.option("--replicates", type=click.IntRange(1, 100_000), help="STUDY: instead of its replicates.")
@click.option("--words-only", is_flag=True, help="TF-IDF alone, without MiniLM.")
@click.option("--out", type=_PATH, metavar="FILE", help="Write realism.json here.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the samples and the bootstrap.")
@output_options
def realism(
    sources: tuple[Path, ...],
    against: tuple[Path, ...],
    word: str | None,
    words_only: bool,
    out: Path | None,
    seed: int,
    output: Output,
    **holding: Any,
) -> None:
    """Hold the simulated users of a STUDY or a RUN against real people.

    A classifier learns to tell them apart; both talk measured side by side; and conversations whose user is at fault.
    """
    from holdfast.simulator.realism.build import measure_realism
    from holdfast.simulator.realism.model import write_realism
    from holdfast.simulator.realism.talks import real_talks

    if out is not None and out.is_dir():
        raise InputError(f"--out: {out} is a folder; name a file in it")
    for path in against:
        real_talks(path, word)  # before anything is held
    with _runs(sources, holding, output) as runs:
        output.note("telling them apart")
        report = measure_realism(runs, against, seed=seed, encoder=not words_only, word=word)
    if out is not None:
        write_realism(report, out)

    def show() -> None:
        _show(report)
        if out is not None:
            print_lines(f"\nresults  {out}")

    output.show(lambda: report.model_dump(mode="json"), show)


@contextmanager
def _runs(sources: Sequence[Path], holding: dict[str, Any], output: Output) -> Iterator[list[Path]]:
    """Yield a run folder for each source: runs as they are, studies held in a folder that goes afterwards."""
    studies = [source for source in sources if not source.is_dir()]
    given = [f"--{name.rstrip('s') if name == 'voices' else name}" for name, value in holding.items() if value]
    if given and not studies:
        raise InputError(f"{', '.join(given)}: only for a study's file; a run is measured as it is")
    with TemporaryDirectory(prefix="holdfast-realism-") as folder:
        runs = []
        for source in sources:
            if source.is_dir():
                runs.append(source)
                continue
            for voice in holding["voices"] or (None,):
                name = "-".join(filter(None, (source.stem, str(len(runs)), voice)))
                _hold(source, Path(folder) / name, voice, holding, output)
                runs.append(Path(folder) / name)
        yield runs


def _hold(study: Path, out: Path, voice: str | None, holding: dict[str, Any], output: Output) -> None:
    from holdfast.simulator.config.study_file import load_study
    from holdfast.simulator.monitor.viewer import viewer
    from holdfast.simulator.realism.holding import hold_users, logged_replies, only_users

    replies = None if holding["replies"] is None else logged_replies(holding["replies"])
    alone = only_users(load_study(study), holding["turns"], holding["replicates"], voice)
    hold_users(alone, out, replies, viewer(quiet=output.bare).conversations)


def _show(report: RealismReport) -> None:
    print_lines("How they talk, means over conversations (docs/realism.md says what each column is)")
    columns = ["users", "people", "messages", *(title for _, title in _HABITS), "frames"]
    print_table(columns, [_habits(each) for each in report.sources], numbers=range(1, len(columns)))
    print_lines("\nTold apart: AUC [95 %] of the better classifier; .50 is never, 1.00 always")
    columns = ["first", "second", "of", "text", "AUC [95 %]", "TF-IDF", "MiniLM", "people", "texts"]
    print_table(columns, [_apart(each) for each in report.told_apart], numbers=range(4, 9))
    lines = [f"{run}: {faults.in_words}" for run, faults in report.faults.items()]
    lines += [
        f"  without them: {faults.headline_without}" for faults in report.faults.values() if faults.headline_without
    ]
    lines += _missing(report.sources)
    lines += [f"MiniLM: {report.encoder}"] if report.encoder else []
    print_lines("\n".join(["", *lines, *report.notes]))


def _missing(sources: Sequence[SourceHabits]) -> list[str]:
    titles = dict(_HABITS)
    lacking: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        for name, why in source.missing.items():
            lacking.setdefault((titles[name], why), []).append(source.name)
    return [f"no {title!r} of {', '.join(names)}: {why}" for (title, why), names in lacking.items()]


def _habits(source: SourceHabits) -> list[object]:
    figures = [getattr(source, name) for name, _ in _HABITS]
    means = [None if figure is None else figure.mean for figure in figures]
    return [source.name, source.people, source.messages, *means, source.frames]


def _apart(pair: ToldApart) -> list[object]:
    of = f"{pair.unit} (floor)" if pair.floor else pair.unit
    auc = pair.untested or interval_cell(pair.larger)
    encoder = None if pair.encoder is None else pair.encoder.mean
    people = f"{pair.people[0]} and {pair.people[1]}"
    return [pair.first, pair.second, of, pair.wording, auc, pair.words.mean, encoder, people, pair.words.n]
