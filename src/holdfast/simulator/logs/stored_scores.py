"""Scores that were given before, read from a file and looked up by reply: a rater that need not rate again.

The file is what ``holdfast judge --out`` or ``holdfast measure --scores-out`` wrote. A score stands for a reply where
conversation, turn and the hash of all that was said up to the reply are the same. Any other score is told with its
place, and a reply without a score is unrated.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from holdfast.agents.raters.protocol import EXPRESSED, Failure, Rater, RaterIdentity, Rating, Scale
from holdfast.core.errors import InputError
from holdfast.core.reading.skips import BrokenRow, SkippedLine
from holdfast.core.reading.tables import Row, table_of
from holdfast.core.wording import printable, quote
from holdfast.simulator.logs.rating import RatedTexts
from holdfast.simulator.logs.score_lines import StoredScore, scale_of, scores_in_row
from holdfast.simulator.logs.scores import storable
from holdfast.simulator.logs.tallies import RatedConversation, ScoresUsed
from holdfast.simulator.logs.turns import passage_hashes

UNSCORED = "no score of it in the file of scores"
CHANGED = "the reply, or what was said before it, was changed since it was scored"
ABSENT = "no such reply in the log"
ScoreKey = tuple[str, int]  # conversation, turn


@dataclass(frozen=True, slots=True)
class StoredScores:
    """The scores of one rater. ``scores``: by conversation and turn, then by the hash of the passage."""

    name: str
    identity: RaterIdentity
    scale: Scale
    file: str
    scores: Mapping[ScoreKey, Mapping[str, StoredScore]] = field(repr=False)

    def look_up(self, talks: Sequence[RatedConversation], used: ScoresUsed) -> RatedTexts:
        """Return the ratings of all replies of ``talks``, and note in ``used`` which scores they are.

        An empty reply is disqualified, as no rater is shown it.
        """
        ratings: list[Rating] = []
        for talk in talks:
            name = storable(talk.conversation.id)
            passages = zip(talk.turns.turns, passage_hashes(talk.turns), strict=True)
            for turn, (said, passage) in enumerate(passages, start=1):
                known = self.scores.get((name, turn), {})
                if known:
                    used.seen.add((name, turn))
                if passage in known:
                    used.matched.add((name, turn, passage))
                    ratings.append(known[passage].rating)
                elif not said.reply.strip():
                    ratings.append(Rating(disqualified="empty"))
                else:
                    ratings.append(Rating(missing=CHANGED if known else UNSCORED))
        return _rated(ratings, self.scale)

    def left_over(self, used: ScoresUsed) -> Iterator[SkippedLine]:
        """Yield the scores that stand for no reply of the log."""
        for key, by_hash in self.scores.items():
            reason = CHANGED if key in used.seen else ABSENT
            yield from (_skip(score, reason) for sha, score in by_hash.items() if (*key, sha) not in used.matched)


def _skip(score: StoredScore, reason: str) -> SkippedLine:
    return SkippedLine(score.place, "score", reason, f"conversation {quote(score.conversation)}, turn {score.turn}")


def _rated(ratings: Sequence[Rating], scale: Scale) -> RatedTexts:
    nothing = np.zeros(len(ratings), dtype=np.int64)
    levels = np.array([rating.levels(scale.dimensions) for rating in ratings], dtype=np.float64)
    failures: tuple[Failure | None, ...] = tuple(rating.disqualified for rating in ratings)
    reasons = tuple(rating.missing or "" for rating in ratings)
    return RatedTexts(levels.reshape(-1, len(scale.dimensions)), reasons, failures, nothing, nothing)


def read_stored(path: Path) -> dict[str, StoredScores]:
    """Return the raters of a file of scores by name, in the order in which they come.

    Raises:
        InputError: the file cannot be read, or a row of it is no score, is out of its scale, or contradicts another.
    """
    by_rater: dict[str, dict[ScoreKey, dict[str, StoredScore]]] = {}
    about: dict[str, StoredScore] = {}
    for score in (score for row in table_of(path).rows() for score in scores_in_row(_whole(row))):
        first = about.setdefault(score.rater, score)
        if first.identity != score.identity:
            raise InputError(
                f"{score.place}: {quote(score.rater)} is another rater here than at {first.place} "
                f"({score.identity.id} {score.identity.version}, not {first.identity.id} {first.identity.version}); "
                "keep the scores of each in a file of its own"
            )
        by_hash = by_rater.setdefault(score.rater, {}).setdefault((score.conversation, score.turn), {})
        same = by_hash.setdefault(score.passage_sha256, score)
        if same.rating != score.rating:
            raise InputError(
                f"{score.place}: turn {score.turn} of conversation {quote(score.conversation)} has another score at "
                f"{same.place}; keep one of them"
            )
    if not by_rater:
        raise InputError(f"{printable(str(path))}: holds no score")
    return {
        name: StoredScores(name, about[name].identity, _scale(name, scores, path), printable(path.name), scores)
        for name, scores in by_rater.items()
    }


def read_all_stored(paths: Sequence[Path]) -> dict[str, StoredScores]:
    """Return the raters of several files of scores. Raises InputError as :func:`read_stored`, and for a name twice."""
    raters: dict[str, StoredScores] = {}
    for path in paths:
        for name, scores in read_stored(path).items():
            if name in raters:
                both = f"{raters[name].file} and {scores.file}"
                raise InputError(f"--scores: {both} both hold scores by {quote(name)}; measure with one of them")
            raters[name] = scores
    return raters


def _whole(row: Row | BrokenRow) -> Row:
    if isinstance(row, BrokenRow):
        raise InputError(f"{row.skip}; a judge that was interrupted goes on with --resume")
    return row


def _scale(name: str, scores: Mapping[ScoreKey, Mapping[str, StoredScore]], path: Path) -> Scale:
    """Return the scale of a rater's scores, all of which must lie on it."""
    listed = [score for by_hash in scores.values() for score in by_hash.values()]
    scale = scale_of(listed)
    if scale is None:
        raise InputError(
            f"{printable(str(path))}: holds no score by {quote(name)}; every reply is unrated or disqualified"
        )
    for score in listed:
        for dimension, value in score.rating.values.items():
            if not scale.low <= value <= scale.high:
                bounds = f"{scale.low:g} to {scale.high:g}"
                raise InputError(f"{score.place}: {dimension} is {value:g}; on the scale {scale.id} it is {bounds}")
    return scale


def with_stored(stored: Mapping[str, StoredScores], raters: Mapping[str, Rater]) -> dict[str, "Rater | StoredScores"]:
    """Return all raters in their order: stored scores of expressed empathy, raters that rate anew, other stored ones.

    Raises:
        InputError: one of each has the same name.
    """
    twice = sorted(stored.keys() & raters.keys())
    if twice:
        raise InputError(
            f"--scores {stored[twice[0]].file} holds the scores of {quote(twice[0])}; leave it out of --rater"
        )
    first = {name: scores for name, scores in stored.items() if scores.scale.id == EXPRESSED.id}
    return {**first, **raters, **stored}
