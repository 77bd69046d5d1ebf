"""Replies that only repeat: themselves, the reply before, or the user."""

from collections import Counter
from collections.abc import Sequence

from holdfast.agents.raters.gate.reading import ReplyText, covered, quotation, runs_of, shared, words_of
from holdfast.agents.raters.gate.worded import commonest_words

#: A reply loops where so many words, and this share of all, lie in runs of ``RUN`` words that came before in it; where
#: one run is there ``OFTEN`` times, a smaller share is enough.
RUN, LOOP_WORDS, LOOP_SHARE, OFTEN, SHARE_IF_OFTEN = 4, 6, 0.4, 3, 0.25
#: It copies the reply before where it has so many words, and this share of them lies in that reply's runs.
COPY_WORDS, COPY_SHARE = 8, 0.8
#: It copies the user where so many words, and this share, lie in runs of ``ECHO_RUN`` words of the message; or where it
#: is the message, and that has ``WHOLE_WORDS`` words.
ECHO_RUN, ECHO_WORDS, ECHO_SHARE, WHOLE_WORDS = 5, 9, 0.6, 4


def loop(reply: ReplyText) -> str:
    """Return what the reply says again and again, or ""."""
    words = reply.words
    if len(words) < LOOP_WORDS:
        return ""
    runs = runs_of(words, RUN)
    if len(set(runs)) == len(runs):
        return ""
    seen, repeated = set[tuple[str, ...]](), list[int]()
    for start, run in enumerate(runs):
        if run in seen:
            repeated.append(start)
        seen.add(run)
    total = len(covered(repeated, RUN))
    if total < max(LOOP_WORDS, SHARE_IF_OFTEN * len(words)):
        return ""
    often, times = Counter(runs).most_common(1)[0]
    if times < OFTEN and total < LOOP_SHARE * len(words):
        return ""
    return f"{' '.join(often)} ({times} times)"


def copy_of_reply_before(reply: ReplyText) -> str:
    """Return the words of a reply that says again what the reply before said, with no new word of the user; or ""."""
    words = reply.words
    if not reply.before or len(words) < COPY_WORDS:
        return ""
    before = words_of(reply.before)
    if _common(words, before) < COPY_SHARE * len(words):
        return ""
    same = shared(words, before, RUN)
    if len(same) < COPY_SHARE * len(words):
        return ""
    new = {word for place, word in enumerate(words) if place not in same} - commonest_words()
    return quotation(reply.text) if new.isdisjoint(words_of(reply.asked)) else ""


def copy_of_user(reply: ReplyText) -> str:
    """Return the words of a reply that mostly says the user's message back, or ""."""
    words = reply.words
    if not reply.asked or len(words) < WHOLE_WORDS:
        return ""
    asked = words_of(reply.asked)
    if _common(words, asked) < ECHO_SHARE * len(words):
        return ""
    same = len(shared(words, asked, ECHO_RUN))
    return quotation(reply.text) if words == asked or same >= max(ECHO_WORDS, ECHO_SHARE * len(words)) else ""


def _common(words: Sequence[str], others: Sequence[str]) -> int:
    """How many of ``words`` are among ``others``: no fewer than lie in runs that both have, and sooner counted."""
    known = set(others)
    return sum(word in known for word in words)
