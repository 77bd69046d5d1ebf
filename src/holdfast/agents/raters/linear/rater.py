"""The linear rater: expressed empathy of a reply from its words, fitted on human labels.

Per mechanism, two questions (at least level 1? level 2?) are asked of every sentence, of which the strongest answers,
and of those sentences together that pass the mechanism's gate: what says nothing about the person, advice above all, is
left out, so that it neither dilutes a telling sentence nor adds up. Logistic curves join the two logits into
probabilities, whose sum is the expected level; a piecewise-linear scale, fitted on held-out folds, puts that level
where rounding agrees best with the labels. It begins little below the first cut, so that the strongest of many neutral
sentences is still 0.

numpy only: no torch, no scikit-learn, no pickle. ``expressed/card.md`` says what the labels are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holdfast.agents.raters.dialogue.manifest import seen
from holdfast.agents.raters.gate.language import ENGLISH
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.linear.features import (
    ENDS,
    REPLY_POWER,
    SENTENCE_POWER,
    START,
    Floats,
    Ints,
    cut,
    grams,
    numbered,
)
from holdfast.agents.raters.linear.legibility import count_words, why_illegible
from holdfast.agents.raters.linear.weight_files import (
    VOCABULARY,
    WEIGHTS,
    reading_weights,
    require_shapes,
    write_weights,
)
from holdfast.agents.raters.protocol import (
    EXPRESSED,
    NO_REPLY,
    Passage,
    RaterIdentity,
    Rating,
    Scale,
    expressed,
    holds_reply,
)
from holdfast.core.hashing import files_sha256

SHIPPED = Path(__file__).parent / "expressed"
SHIPPED_PEERS = Path(__file__).parent / "peers"  # fitted on EPITOME alone
PEOPLE = "people.json"
_CHUNK = 1024  # replies at a time: bounds memory
TINY = 1e-300  # the squared length of a sentence of unknown words: 0 / TINY is 0
KNOTS = np.array([0.0, 0.5, 1.5, 2.0])  # the levels at a scale's four marks


@dataclass(frozen=True, slots=True)
class Logits:
    """Of R replies with S sentences in all: ``by_sentence`` (S, 2 M); ``reply`` (S,) whose each sentence is;
    ``strongest`` and ``whole`` (R, 2 M), -inf and the bias for a reply without a sentence."""

    by_sentence: Floats
    reply: Ints
    strongest: Floats
    whole: Floats


@dataclass(frozen=True)
class LinearModel:
    """The fitted numbers: F features, M = 3 mechanisms in the order of ``MECHANISMS``, two heads (level 1, 2) each.

    ``words``: known tokens, numbered from 1; ``keys``: (F,) sorted keys of known runs; ``idf``: (F,);
    ``weights`` (F, 2 M) and ``bias`` (2 M,) give a sentence's logits, ``reply_weights`` and ``reply_bias`` a whole
    reply's; ``curves``: (3, 2 M), what the strongest sentence's logit and the whole reply's count, and an offset;
    ``scale``: (M, 4), expected levels that map to 0, .5, 1.5 and 2; ``gates``: (M,), the level-1 logit from which on a
    sentence is part of the whole reply; -inf lets every one in.
    """

    words: tuple[str, ...]
    keys: Ints
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: Floats
    reply_weights: NDArray[np.float32]
    reply_bias: Floats
    curves: Floats
    scale: Floats
    gates: Floats

    @cached_property
    def numbers(self) -> dict[str, int]:
        return numbered(self.words)

    def levels(self, texts: Sequence[str]) -> Floats:
        """(R, M) levels, 0-2 each; a reply without words scores 0."""
        parts = [self.logits(texts[at : at + _CHUNK]) for at in range(0, len(texts), _CHUNK)]
        levels = [self.from_logits(part.strongest, part.whole) for part in parts]
        return np.concatenate(levels) if levels else np.zeros((0, len(self.scale)))

    def logits(self, texts: Sequence[str]) -> Logits:
        """Read ``texts``, all at once."""
        sentences, heads = cut(texts, self.numbers), len(self.bias)
        strongest, whole = np.full((len(texts), heads), -np.inf), np.zeros((len(texts), heads))
        if not len(sentences.reply):
            return Logits(np.zeros((0, heads)), sentences.reply, strongest, whole + self.reply_bias)
        key, place = grams(sentences, len(self.words) + 1)
        where = np.searchsorted(self.keys, key)
        where[where == len(self.keys)] = 0
        order = np.argsort(place, kind="stable")  # three sorted runs: cheap, and sums then are over slices
        where, place = where[order], place[order]
        rows = self.table[np.where(self.keys[where] == key[order], where, len(self.keys))]
        by_sentence = np.add.reduceat(rows, _starts(place), axis=0)  # <s> makes sure that no sentence is empty
        length = np.maximum(by_sentence[:, -1:], TINY)
        first = _starts(sentences.reply)
        with_sentences = sentences.reply[first]
        logits = by_sentence[:, :heads] / length ** (SENTENCE_POWER / 2) + self.bias
        strongest[with_sentences] = np.maximum.reduceat(logits, first, axis=0)
        inside = np.repeat(logits[:, 0::2] >= self.gates, 2, axis=1)
        by_reply = np.add.reduceat(by_sentence[:, heads:-1] * inside, first, axis=0)
        length = np.maximum(np.add.reduceat(by_sentence[:, -1:] * inside, first, axis=0), TINY)
        whole[with_sentences] = by_reply / length ** (REPLY_POWER / 2)
        return Logits(logits, sentences.reply, strongest, whole + self.reply_bias)

    @cached_property
    def table(self) -> Floats:
        """(F + 1, 4 M + 1): idf times each weight, and idf squared; the last row, for unknown runs, is 0."""
        idf = self.idf.astype(np.float64)[:, None]
        rows = np.concatenate([idf * self.weights, idf * self.reply_weights, idf * idf], axis=1)
        return np.concatenate([rows, np.zeros((1, rows.shape[1]))])

    def from_logits(self, strongest: Floats, whole: Floats) -> Floats:
        """(R, M) levels from those of :meth:`logits`."""
        first, second, offset = self.curves
        with np.errstate(over="ignore"):
            chance = 1 / (1 + np.exp(-(first * strongest + second * whole + offset)))
        expected = chance[:, 0::2] + np.minimum(chance[:, 0::2], chance[:, 1::2])
        scaled = [np.interp(expected[:, m], knots, KNOTS) for m, knots in enumerate(self.scale)]
        return np.stack(scaled, axis=1)

    def check(self) -> None:
        """Raise ValueError unless the numbers fit together."""
        features, heads = self.weights.shape
        require_shapes(
            keys=(self.keys.shape, (features,)),
            idf=(self.idf.shape, (features,)),
            reply_weights=(self.reply_weights.shape, (features, heads)),
            bias=(self.bias.shape, (heads,)),
            reply_bias=(self.reply_bias.shape, (heads,)),
            curves=(self.curves.shape, (3, heads)),
            scale=(self.scale.shape, (heads // 2, len(KNOTS))),
            gates=(self.gates.shape, (heads // 2,)),
        )
        absent = {START, *ENDS} - set(self.words)
        if absent or not features or np.any(np.diff(self.keys) <= 0) or np.any(np.diff(self.scale) <= 0):
            raise ValueError("words lack a sentence mark, or keys or scale do not rise")

    def save(self, folder: Path) -> None:
        """Write ``weights.npz`` and ``vocabulary.json``; the same numbers give the same bytes."""
        write_weights(folder, {name: getattr(self, name) for name in _array_fields()}, self.words)

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        """Read what :meth:`save` wrote. Raises :class:`DataError` where a file is absent or not what it should be."""
        with reading_weights(folder) as (words, arrays):
            older = {} if "gates" in arrays else {"gates": np.full(len(arrays["scale"]), -np.inf)}  # as `peers` is
            model = cls(words, **older, **{name: arrays[name] for name in _array_fields() if name not in older})
            model.check()
            return model


def _starts(numbers: Ints) -> Ints:
    """Where each run of equal numbers begins; ``numbers`` is sorted and not empty."""
    first = np.ones(len(numbers), dtype=bool)
    first[1:] = numbers[1:] != numbers[:-1]
    return first.nonzero()[0]


def _array_fields() -> list[str]:
    return [each.name for each in fields(LinearModel) if each.name != "words"]


@lru_cache(maxsize=4)
def _loaded(folder: Path) -> tuple[LinearModel, str]:
    model = LinearModel.load(folder)
    return model, files_sha256(folder, WEIGHTS, VOCABULARY)[:12]


@dataclass(frozen=True, slots=True)
class LinearRater:
    """Scores expressed empathy with a fitted linear model; reads the reply only.

    Implements :class:`holdfast.agents.raters.protocol.Rater`.

    ``folder`` holds the weights; the shipped ones by default. Raises :class:`DataError` on first use if unreadable.
    """

    folder: Path = field(default=SHIPPED)

    @property
    def model(self) -> LinearModel:
        """The fitted numbers."""
        return _loaded(self.folder)[0]

    def saw(self, labelled: Labelled) -> NDArray[np.bool_]:
        """(n,) whether the weights were fitted on another reply to the same post. ``people.json`` holds the posts'
        hashes; a folder without it says that none was seen."""
        path = self.folder / PEOPLE
        people = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else ()
        return seen(frozenset(people), labelled)

    @property
    def identity(self) -> RaterIdentity:
        """Version: the first 12 hex digits of the SHA-256 of the weights and vocabulary files."""
        return RaterIdentity("linear", _loaded(self.folder)[1])

    @property
    def scale(self) -> Scale:
        return EXPRESSED

    @property
    def languages(self) -> frozenset[str] | None:
        """Which languages it knows, where that is known: its own may be fitted on any."""
        return ENGLISH if self.folder in (SHIPPED, SHIPPED_PEERS) else None

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return self.score(passages)

    def score(self, passages: Sequence[Passage]) -> list[Rating]:
        """Rate each passage's last reply, or with ``whole`` the mean level of its replies.

        What the rater cannot read is missing, not 0.

        A rating never depends on what else is in the batch.
        """
        replies = [rated_replies(passage) for passage in passages]
        texts = [reply for own in replies for reply in own]
        levels, reasons = self.levels(texts), [self.why_unrated(text) for text in texts]
        return ratings_by_passage(levels, reasons, [len(own) for own in replies])

    def levels(self, texts: Sequence[str]) -> Floats:
        """(R, 3) levels, 0-2 each; a reply without words scores 0."""
        return self.model.levels(texts)

    def why_unrated(self, text: str) -> str:
        """Return why a reply cannot be rated (see :mod:`legibility`), or ""."""
        return why_illegible(text, *count_words(text, self.model.numbers))


def ratings_by_passage(levels: Floats, reasons: Sequence[str], counts: Sequence[int]) -> list[Rating]:
    """Return a rating for each passage: ``counts`` replies each, their ``levels`` (R, M) and why they are unrated."""
    ends = np.cumsum(counts).tolist()
    return [_rating(levels[a:b], reasons[a:b]) for a, b in zip([0, *ends], ends, strict=False)]


def _rating(levels: Floats, reasons: Sequence[str]) -> Rating:
    """Return the mean level of the replies that can be rated; the first reason where none can."""
    rated = [not reason for reason in reasons]
    if not any(rated):
        return Rating(missing=next(iter(reasons), NO_REPLY))
    return expressed(*levels[rated].mean(axis=0).tolist())


def rated_replies(passage: Passage) -> list[str]:
    """Return the texts that a rating is of: the last reply, or with ``whole`` all that have words."""
    if not holds_reply(passage):
        return []
    if not passage.whole and passage.messages[-1].role == "assistant":
        return [passage.messages[-1].content]  # the busiest case: no look at what came before
    replies = [message.content for message in passage.messages if message.role == "assistant"]
    return [reply for reply in replies if reply.strip()] if passage.whole else replies[-1:]
