"""One hash over all messages: two runs share it exactly when every word is the same."""

import hashlib
import json
from collections.abc import Iterable

from holdfast.simulator.records import EpisodeRecord


def transcripts_sha256(episodes: Iterable[EpisodeRecord]) -> str:
    """Return the SHA-256, in hex, over one JSON line ``[id, turn, user, reply]`` per turn, ordered by id and turn.

    Independent of the order in which episodes finished. Failed episodes count with the turns that they have; scores
    are not included.

    Raises:
        ValueError: Two episodes share an id, or two turns of one episode a number.
    """
    turns = [(episode.spec.id, turn.turn, turn.user, turn.reply) for episode in episodes for turn in episode.turns]
    turns.sort(key=lambda line: line[:2])
    digest = hashlib.sha256()
    previous: tuple[str, int] | None = None
    for episode_id, number, user, reply in turns:
        if (episode_id, number) == previous:
            raise ValueError(f"turn {number} of episode {episode_id!r} is there twice")
        previous = (episode_id, number)
        digest.update(json.dumps([episode_id, number, user, reply], separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()
