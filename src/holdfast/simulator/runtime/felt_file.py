"""What a chat model felt about a run that is over: scores beside its journal, read again for every report.

``holdfast judge RUN --scale felt --model openai:NAME --out RUN/felt.jsonl`` writes them, and goes on with ``--resume``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from holdfast.agents.raters.felt.feelers import NAMES
from holdfast.agents.raters.protocol import FELT, Rating
from holdfast.core.errors import InputError
from holdfast.core.wording import printable, quote
from holdfast.simulator.logs.records import LogMessage
from holdfast.simulator.logs.scores import storable
from holdfast.simulator.logs.stored_scores import UNSCORED, StoredScores, read_stored
from holdfast.simulator.logs.turns import passage_hashes, turns_of
from holdfast.simulator.records import EpisodeRecord, TurnRecord
from holdfast.simulator.results.model import RaterInfo

FELT_FILE = "felt.jsonl"  # its name in a run folder


def add_felt_file(
    out: Path, episodes: Sequence[EpisodeRecord], raters: Sequence[RaterInfo]
) -> tuple[list[EpisodeRecord], list[RaterInfo]]:
    """Return the episodes with the model's ratings of the run's file among theirs, and the raters with it; both as they
    are where there is no such file.

    A turn that the file does not have, or had with other words before it, is missing its rating.

    Raises:
        InputError: the file is none of a model's scores of felt empathy, or the run has such scores of its own.
    """
    path = out / FELT_FILE
    if not path.exists():
        return list(episodes), list(raters)
    stored = _stored(path)
    if NAMES["model"] in {rater.name for rater in raters}:
        raise InputError(f"{printable(str(path))}: the run has a model's feelings of its own; move this file elsewhere")
    name = NAMES["model"]
    info = RaterInfo(name=name, **asdict(stored.identity), role="asked afterwards", scale=FELT)
    return [replace(episode, turns=tuple(_felt(episode, stored))) for episode in episodes], [*raters, info]


def _stored(path: Path) -> StoredScores:
    raters = read_stored(path)
    odd = [name for name, each in raters.items() if each.scale != FELT or not each.identity.id.startswith("judge:")]
    if odd or len(raters) > 1:
        raise InputError(
            f"{printable(str(path))}: holds scores by {', '.join(map(quote, raters))}; expected one chat model's on "
            "the scale felt: move this file elsewhere, and write one with holdfast judge RUN --scale felt --model "
            "openai:NAME (or hf:PATH, …) --out RUN/felt.jsonl"
        )
    return next(iter(raters.values()))


def _felt(episode: EpisodeRecord, stored: StoredScores) -> Iterator[TurnRecord]:
    said = [(("user", turn.user), ("assistant", turn.reply)) for turn in episode.turns]
    read = turns_of([LogMessage(role, text) for pair in said for role, text in pair])  # type: ignore[arg-type]
    for turn, passage in zip(episode.turns, passage_hashes(read), strict=True):
        score = stored.scores.get((storable(episode.spec.id), turn.turn), {}).get(passage)
        rating = Rating(missing=UNSCORED) if score is None else score.rating
        yield replace(turn, ratings={**turn.ratings, NAMES["model"]: rating})
