"""What fitting a rater of expressed empathy needs of replies: features of sentences, who stands in which fold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from holdfast.agents.raters.linear.epitome_pairs import EpitomePair, sentence_labels
from holdfast.agents.raters.linear.features import (
    REPLY_POWER,
    SENTENCE_POWER,
    Floats,
    Ints,
    Sentences,
    cut,
    grams,
    numbered,
    rarity,
    vocabulary,
)
from holdfast.agents.raters.linear.heads import Features, LabelledSentences
from holdfast.core.errors import DataError


@dataclass(frozen=True, slots=True)
class DesignMatrix:
    """Everything about the replies that fitting needs: R replies, S sentences, F features.

    ``runs``: (S, F), of each run of words in a sentence how often it stands there times its idf; ``squares``: (S,), the
    sum of squared idf over all runs of a sentence.
    """

    words: tuple[str, ...]
    keys: Ints  # (F,) sorted
    idf: Floats  # (F,)
    runs: csr_array
    squares: Floats
    reply: Ints  # (S,) the reply of each sentence
    sentence_levels: Ints  # (S, 3)
    sentence_weights: Ints  # (S, 3)
    levels: Ints  # (R, 3)
    fold: Ints  # (R,) grouped by post

    def sentences(self) -> csr_array:
        """(S, F) each sentence's runs, divided by their length: a unit vector."""
        return _divided(self.runs, self.squares, SENTENCE_POWER)

    def replies(self, inside: NDArray[np.bool_]) -> csr_array:
        """(R, F) of each reply the runs of those of its sentences that are ``inside``, (S,), as one text."""
        chosen = inside.nonzero()[0]
        shape = (len(self.levels), len(inside))
        of_reply = csr_array((np.ones(len(chosen)), (self.reply[chosen], chosen)), shape=shape)
        return _divided(csr_array(of_reply @ self.runs), np.asarray(of_reply @ self.squares), REPLY_POWER)

    def labelled(self, m: int, features: Features) -> LabelledSentences:
        """The sentences with mechanism ``m``'s labels. ``features``: a row each."""
        levels, weights = self.sentence_levels[:, m], self.sentence_weights[:, m].astype(np.float64)
        return LabelledSentences(features, self.reply, self.levels[self.reply, m], levels, weights)


def _divided(rows: csr_array, squares: Floats, power: float) -> csr_array:
    """Divide each row by its Euclidean length, the root of ``squares``, to ``power``; a row without runs stays 0."""
    return csr_array(diags_array(1 / np.where(squares > 0, squares, 1.0) ** (power / 2)) @ rows)


def prepare(pairs: Sequence[EpitomePair], seed: int, folds: int, min_replies: int) -> DesignMatrix:
    """Cut, count, weight by inverse document frequency, and deal posts into folds.

    Raises :class:`DataError` where no run of words occurs in ``min_replies`` replies.
    """
    texts = [pair.reply for pair in pairs]
    words = vocabulary(texts, min_replies)
    sentences = cut(texts, numbered(words))
    keys, idf, runs, squares = _features(sentences, len(words) + 1, len(texts), min_replies)
    _, post = np.unique([pair.post_id for pair in pairs], return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(post.max() + 1)
    sentence_levels, sentence_weights = sentence_labels(pairs)
    return DesignMatrix(
        words=words,
        keys=keys,
        idf=idf,
        runs=runs,
        squares=squares,
        reply=sentences.reply,
        sentence_levels=sentence_levels,
        sentence_weights=sentence_weights,
        levels=np.array([pair.levels for pair in pairs]),
        fold=dealt[post] % folds,
    )


def _features(
    sentences: Sentences, base: int, replies: int, min_replies: int
) -> tuple[Ints, Floats, csr_array, Floats]:
    """Keys, idf, and the runs of sentences with their squared lengths."""
    key, place = grams(sentences, base)
    in_reply = np.unique(np.stack([key, sentences.reply[place]]), axis=1)
    keys, count = np.unique(in_reply[0], return_counts=True)
    keys, count = keys[count >= min_replies], count[count >= min_replies]
    if not len(keys):
        raise DataError(f"no word occurs in {min_replies} replies: too few pairs to fit a rater on.")
    idf = rarity(count, replies)
    where = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    here = keys[where] == key
    where, place = where[here], place[here]
    runs = csr_array((idf[where], (place, where)), shape=(len(sentences.reply), len(keys)))
    squares: Floats = np.bincount(place, weights=idf[where] ** 2, minlength=len(sentences.reply)).astype(np.float64)
    return keys, idf, runs, squares
