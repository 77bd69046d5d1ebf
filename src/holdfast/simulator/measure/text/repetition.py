"""Repetition: templates that replies are cut from, distinct n-grams, and similarity to earlier replies.

All functions take a conversation as a list of replies, and give one value per reply or per conversation; nan where a
value is undefined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Literal

import numpy as np

from holdfast.simulator.measure.arrays import Floats, Ints, divide
from holdfast.simulator.measure.text.ngrams import Hashes, WordIds, word_ids

TEMPLATE_WORDS = 5
TOP = 10
Conversations = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Templates:
    """Which replies hold one of the most frequent templates.

    ``fits``: conversations x turns, 1 or 0, nan where there is no reply or it is shorter than a template. ``examples``:
    (reply's number in reading order, in how many replies it occurs) per template, most frequent first; no text is kept.
    """

    fits: Floats
    examples: tuple[tuple[int, int], ...]


def template_share(
    replies: Conversations,
    said: Conversations,
    *,
    words: int = TEMPLATE_WORDS,
    top: int = TOP,
    turns: int | None = None,
) -> Templates:
    """Find which replies are cut from one of the ``top`` most frequent templates of this body of replies.

    After Shaib et al. ("Detection and Measurement of Syntactic Templates in Generated Text", EMNLP 2024): a template is
    a frequent run of abstracted words, and a text counts if it holds one. They abstract to parts of speech; here words
    of the user's message, and numbers, are masked and the rest stays, which needs no tagger, works in any language with
    spaces, and detects sentences repeated with the user's words filled in. A template has ``words`` words and must
    occur in at least two conversations. Frequency counts replies; ties go to the run that was read first. Long replies
    hold more runs: compare candidates of like length.

    ``replies``, ``said``: conversations of replies, and of the user messages that they answer, of the same shape.
    ``turns``: columns of the result, the longest conversation unless given.

    Raises:
        ValueError: The shapes differ.
    """
    if [len(conversation) for conversation in replies] != [len(conversation) for conversation in said]:
        raise ValueError("every reply needs the user message that it answers: the two shapes differ")
    rows, columns = _places(replies)
    abstracted = word_ids(list(chain.from_iterable(replies)), list(chain.from_iterable(said)))
    hashes, reply = abstracted.grams(words)
    fits = np.full((len(replies), max(columns.max(initial=-1) + 1, turns or 0)), np.nan)
    if not len(hashes):
        return Templates(fits, ())
    kinds, first, kind = np.unique(hashes, return_index=True, return_inverse=True)
    pair_kind, pair_reply = _different(kind, reply)
    in_replies = np.bincount(pair_kind, minlength=len(kinds))
    in_conversations = np.bincount(_different(pair_kind, rows[pair_reply])[0], minlength=len(kinds))
    order = np.lexsort((first, -in_replies))
    chosen = [int(template) for template in order[in_conversations[order] >= 2][:top]]
    long_enough = np.diff(abstracted.starts) >= words
    fits[rows[long_enough], columns[long_enough]] = 0.0
    fitting = np.unique(pair_reply[np.isin(pair_kind, chosen)])
    fits[rows[fitting], columns[fitting]] = 1.0
    return Templates(fits, tuple((int(reply[first[template]]), int(in_replies[template])) for template in chosen))


def distinct_n(replies: Conversations, n: int = 2, words: WordIds | None = None) -> Floats:
    """Return distinct-n of each conversation: different n-grams / n-grams (Li et al. 2016), corrected for length.

    The plain ratio falls with every word added, so that a talkative candidate looks repetitive. The divisor is
    therefore how many different ones N draws from the V kinds of all conversations together would give,
    V (1 - (1 - 1 / V)^N) (Liu et al., "Rethinking and Refining the Distinct Metric", ACL 2022). Not a share: values
    above 1 can occur. ``words``: of all replies, where already computed. nan for a conversation without an n-gram, or
    where all conversations hold one kind only.
    """
    rows, _ = _places(replies)
    hashes, reply = (words or word_ids(list(chain.from_iterable(replies)))).grams(n)
    conversation = rows[reply] if len(reply) else reply
    kinds, kind = np.unique(hashes, return_inverse=True)
    total = np.bincount(conversation, minlength=len(replies)).astype(np.float64)
    different, _ = _different(conversation, kind)
    seen = np.bincount(different, minlength=len(replies)).astype(np.float64)
    if len(kinds) < 2:
        return np.full(len(replies), np.nan)
    expected = len(kinds) * -np.expm1(total * np.log1p(-1 / len(kinds)))
    return divide(seen, expected, total > 0)


def self_similarity(
    replies: Conversations,
    *,
    n: int = 2,
    measure: Literal["jaccard", "cosine"] = "jaccard",
    turns: int | None = None,
    words: WordIds | None = None,
) -> Floats:
    """Return the mean similarity of each reply to all earlier ones of its conversation, conversations x turns, 0-1.

    ``jaccard``: shared n-grams / n-grams of either (Jaccard 1901), as sets; ``cosine``: of their counts. The mean over
    the earlier replies stays constant when nothing changes, while the maximum would rise with their number. ``words``:
    of all replies, where already computed. nan at the first reply, for a reply without an n-gram, and where no earlier
    reply has one.
    """
    rows, columns = _places(replies)
    hashes, reply = (words or word_ids(list(chain.from_iterable(replies)))).grams(n)
    result = np.full((len(replies), max(columns.max(initial=-1) + 1, turns or 0)), np.nan)
    ends = np.searchsorted(reply, np.cumsum([0, *(len(conversation) for conversation in replies)]))
    for row, (begin, end) in enumerate(pairwise(ends)):
        if end > begin:
            count = len(replies[row])
            first = int(np.searchsorted(rows, row))
            likeness = _likeness(hashes[begin:end], reply[begin:end] - first, count, measure)
            result[row, :count] = _mean_before(likeness)
    return result


def _likeness(hashes: Hashes, reply: Ints, count: int, measure: str) -> Floats:
    """Return similarities, replies x replies; nan where either has no n-gram."""
    from scipy.sparse import csr_array  # here, so that importing this module stays instant

    kind = np.unique(hashes, return_inverse=True)[1]
    table = csr_array((np.ones(len(kind)), (reply, kind)), shape=(count, int(kind.max()) + 1))
    table.sum_duplicates()
    if measure == "jaccard":
        table.data[:] = 1.0
    shared = (table @ table.T).toarray()
    own = np.diag(shared)
    bottom = own[:, None] + own[None, :] - shared if measure == "jaccard" else np.sqrt(np.outer(own, own))
    there = (own[:, None] > 0) & (own[None, :] > 0)
    return divide(shared, bottom, there)


def _mean_before(likeness: Floats) -> Floats:
    earlier = np.tril(np.where(np.isnan(likeness), 0.0, likeness), -1).sum(axis=1)
    count = np.tril(~np.isnan(likeness), -1).sum(axis=1)
    return divide(earlier, count)


def _different(first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """Return the distinct pairs of two arrays of integers from 0, by one sort."""
    base = int(second.max(initial=0)) + 1
    both = np.sort(first * base + second)  # numpy's unique takes ten times as long without an index to return
    both = both[np.concatenate([[True], both[1:] != both[:-1]])] if len(both) else both
    return both // base, both % base


def _places(replies: Conversations) -> tuple[Ints, Ints]:
    """Return row and column of each reply, in reading order."""
    lengths = np.array([len(conversation) for conversation in replies], dtype=np.int64)
    rows = np.repeat(np.arange(len(replies)), lengths)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
