"""What a chat model felt about a run that is over: scores beside its journal, read again for every report.

``holdfast judge RUN --scale felt --model openai:NAME --out RUN/felt.jsonl`` writes them, and goes on with ``--resume``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from holdfast.agents.raters.felt.feelers import NAMES
from holdfast.agents.raters.protocol import FELT, NO_REPLY, Rater, Rating
from holdfast.core.errors import InputError
from holdfast.core.wording import printable, quote
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.judging.lines import read_kept
from holdfast.simulator.logs.records import LogMessage
from holdfast.simulator.logs.scores import storable
from holdfast.simulator.logs.stored_scores import CHANGED, StoredScores, read_stored
from holdfast.simulator.logs.turns import passage_hashes, turns_of
from holdfast.simulator.records import EpisodeRecord, TurnRecord
from holdfast.simulator.results.model import RaterInfo
from holdfast.simulator.runtime.run_folder import read_run_file, recorded_raters

FELT_FILE = "felt.jsonl"  # its name in a run folder
NOT_ASKED = "not asked about: felt.jsonl has no score of it (judge --resume without --sample asks about the rest)"


def add_felt_file(
    out: Path, episodes: Sequence[EpisodeRecord], raters: Sequence[RaterInfo]
) -> tuple[list[EpisodeRecord], list[RaterInfo]]:
    """Return the episodes with the model's ratings of the run's file among theirs, and the raters with it; both as they
    are where there is no such file.

    The rating of a turn is missing, with the reason, where the file has none of it or had it with other words.

    Raises:
        InputError: the file is none of a model's scores of felt empathy, or the run has such scores of its own.
    """
    path = out / FELT_FILE
    if not path.exists():
        return list(episodes), list(raters)
    stored = _stored(path)
    _require_none_of_its_own(path, raters)
    name = NAMES["model"]
    info = RaterInfo(name=name, **asdict(stored.identity), role="asked afterwards", scale=FELT)
    return [replace(episode, turns=tuple(_felt(episode, stored))) for episode in episodes], [*raters, info]


def check_felt_file(path: Path | None, raters: Mapping[str, Rater], *, whole: bool) -> None:
    """Refuse, before anything is rated, scores at ``path`` that a run could not read as its ``felt.jsonl``.

    Any ``path`` passes that is not the ``felt.jsonl`` of a run folder. ``whole``: conversations are rated, not replies.

    Raises:
        InputError: they are not one chat model's of felt empathy, reply by reply, or the run, or the file, has another
            model's.
        JournalError: the run's journal is damaged.
    """
    if path is None or path.name != FELT_FILE or not (path.parent / JOURNAL).exists():
        return
    if whole:
        raise InputError(f"{printable(str(path))}: the run's report reads a score of each reply; leave --whole out")
    _require_one_model(path, raters, "would hold", "choose another --out, or write it")
    with Journal.read(path.parent / JOURNAL) as journal:
        _require_none_of_its_own(path, recorded_raters(read_run_file(path.parent, journal.meta())["provenance"]))
    for other in {line.rater for line in read_kept(path) if line.rater.name not in raters}:
        raise InputError(
            f"{printable(str(path))}: holds scores by {quote(other.name)} ({other.id} {other.version}), and the run's "
            "report reads one model's; move this file elsewhere"
        )


def _stored(path: Path) -> StoredScores:
    raters = read_stored(path)
    _require_one_model(path, raters, "holds", "move this file elsewhere, and write one")
    return next(iter(raters.values()))


def _require_one_model(path: Path, raters: Mapping[str, Rater | StoredScores], holds: str, instead: str) -> None:
    odd = [name for name, each in raters.items() if each.scale != FELT or not each.identity.id.startswith("judge:")]
    if odd or len(raters) > 1:
        raise InputError(
            f"{printable(str(path))}: {holds} scores by {', '.join(map(quote, raters))}; expected one chat model's on "
            f"the scale felt: {instead} with holdfast judge RUN --scale felt --model openai:NAME (or hf:PATH, …) --out "
            "RUN/felt.jsonl"
        )


def _require_none_of_its_own(path: Path, raters: Sequence[RaterInfo]) -> None:
    if NAMES["model"] in {rater.name for rater in raters}:
        raise InputError(f"{printable(str(path))}: the run has a model's feelings of its own; move this file elsewhere")


def _felt(episode: EpisodeRecord, stored: StoredScores) -> Iterator[TurnRecord]:
    said = [(("user", turn.user), ("assistant", turn.reply)) for turn in episode.turns]
    read = turns_of([LogMessage(role, text) for pair in said for role, text in pair])  # type: ignore[arg-type]
    for turn, passage in zip(episode.turns, passage_hashes(read), strict=True):
        known = stored.scores.get((storable(episode.spec.id), turn.turn), {})
        score = known.get(passage)
        unscored = NO_REPLY if not turn.reply.strip() else CHANGED if known else NOT_ASKED
        rating = Rating(missing=unscored) if score is None else score.rating
        yield replace(turn, ratings={**turn.ratings, NAMES["model"]: rating})
