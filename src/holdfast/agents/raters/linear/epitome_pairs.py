"""Reads EPITOME's human labels: post-reply pairs with a level and the words that earned it, per mechanism.

Sharma, Miner, Atkins, Althoff (2020): A Computational Approach to Understanding Empathy Expressed in Text-Based Mental
Health Support, EMNLP. The Reddit part, one row a pair, columns as in :data:`COLUMNS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdfast.agents.protocols import Message
from holdfast.agents.raters.linear.features import Ints, normalise, sentence_spans
from holdfast.core.errors import DataError
from holdfast.core.reading.tables import labelled_rows

POSTS = "reddit posts"  # the population that post ids belong to
PREFIXES = ("ER", "IP", "EX")  # emotional reaction, interpretation, exploration: the order of MECHANISMS
COLUMNS = (
    "sp_id",
    "response_post",
    *(f"{prefix}_level" for prefix in PREFIXES),
    *(f"{prefix}_rationales" for prefix in PREFIXES),
)
_OVERLAP = 8  # characters of a rationale in a sentence, or half of the sentence, mark it


@dataclass(frozen=True, slots=True)
class EpitomePair:
    """One reply and its labels. ``levels``: 0-2 per mechanism; ``rationales``: the spans that earned each level;
    ``post``: what was answered, empty where the file does not hold it."""

    post_id: str
    reply: str
    levels: tuple[int, int, int]
    rationales: tuple[tuple[str, ...], ...]
    post: str = ""


def read_pairs(path: Path) -> list[EpitomePair]:
    """All pairs of a table. Raises :class:`DataError` where it is absent or a row is malformed, naming the lines."""
    pairs, faults = [], []
    for place, row in labelled_rows(path, COLUMNS):
        try:
            pairs.append(_pair(row))
        except ValueError as error:
            faults.append(f"{place}: {error}")
    if faults:
        more = f"\n... and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise DataError("\n".join(faults[:5]) + more)
    if not pairs:
        raise DataError(f"{path}: holds no pairs. Expected EPITOME's pairs.csv, one row a pair.")
    return pairs


def _pair(row: dict[str, str]) -> EpitomePair:
    levels = []
    for prefix in PREFIXES:
        value = row[f"{prefix}_level"].strip()
        if value not in {"0", "1", "2"}:
            raise ValueError(f"{prefix}_level is {value!r}; allowed: 0, 1, 2")
        levels.append(int(value))
    spans = tuple(tuple(s for s in row[f"{p}_rationales"].split("|") if s.strip()) for p in PREFIXES)
    return EpitomePair(
        row["sp_id"], row["response_post"], (levels[0], levels[1], levels[2]), spans, row.get("seeker_post") or ""
    )


def as_messages(pair: EpitomePair) -> tuple[Message, ...]:
    """The post, where there is one, and the reply."""
    reply = Message("assistant", pair.reply)
    return (Message("user", pair.post), reply) if pair.post else (reply,)


def sentence_labels(pairs: Sequence[EpitomePair]) -> tuple[Ints, Ints]:
    """Level and weight of every sentence per mechanism, both (S, 3), sentences in the order of ``features.cut``.

    A sentence that shares words with a rationale has the reply's level, the others 0. Where the level is above 0 and
    no rationale is found in the reply, its sentences weigh 0: nobody knows which one earned the level.
    """
    levels, weights = [], []
    for pair in pairs:
        text, spans = normalise(pair.reply), sentence_spans(pair.reply)
        level = np.zeros((len(spans), len(PREFIXES)), dtype=np.int64)
        weight = np.ones_like(level)
        for m, reply_level in enumerate(pair.levels):
            if reply_level == 0:
                continue
            hit = [_marked(span, text, pair.rationales[m]) for span in spans]
            if any(hit) or len(spans) == 1:
                level[:, m] = np.where(hit, reply_level, 0) if any(hit) else reply_level
            else:
                weight[:, m] = 0
        levels.append(level)
        weights.append(weight)
    return np.concatenate(levels), np.concatenate(weights)


def _marked(span: tuple[int, int], text: str, rationales: Sequence[str]) -> bool:
    begin, end = span
    needed = min((end - begin) / 2, _OVERLAP)
    for rationale in rationales:
        at = text.find(normalise(rationale.strip()))
        if at >= 0 and min(end, at + len(rationale.strip())) - max(begin, at) >= needed:
            return True
    return False
