"""Replies that only repeat: themselves, an earlier reply, or the user."""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import islice

from holdfast.agents.raters.gate.reading import (
    ReplyText,
    clauses_of,
    covered,
    quotation,
    runs_of,
    shared,
    word_set_of,
    words_of,
)
from holdfast.agents.raters.gate.topic import topic_signs
from holdfast.agents.raters.gate.worded import commonest_words, polite_words

#: Words were said before where they lie in a run of ``RUN`` words that was there before.
RUN = 3
#: A reply of ``LOOP_WORDS`` loops where more than half of its words were said before in it; where ``LOOP_WORDS`` were,
#: ``LOOP_SHARE`` of all is enough, and less where a run that is one word longer is there ``OFTEN`` times.
LOOP_WORDS, LOOP_SHARE, OFTEN, SHARE_IF_OFTEN = 6, 0.4, 3, 0.25
#: Clauses of one form are no loop where each says something new beside at most ``CLAUSE_AGAIN`` words that were said
#: before, and there are ``FORMS_AGAIN`` of these in all.
CLAUSE_AGAIN, FORMS_AGAIN = 8, 15
#: A reply copies another where it has so many words, and this share of them was said there; or where it is the same
#: ``FEW_WORDS`` for the ``OFTEN``-th time in a row.
COPY_WORDS, COPY_SHARE, FEW_WORDS = 8, 0.8, 3
#: A reply of so many words copies, whatever else it says, where this share of it was said before.
FORM_WORDS, FORM_SHARE = 16, 0.9
#: How many replies before it are looked through: bounds the time that a reply of a long conversation takes.
EARLIER_REPLIES = 20
#: It copies the user where so many words, and this share, lie in runs of ``ECHO_RUN`` words of the message.
ECHO_RUN, ECHO_WORDS, ECHO_SHARE = 5, 9, 0.6
#: A reply of at most ``BACK_WORDS`` does where this share of it is the message or sentences of it, of ``FEW_WORDS``
#: words each, and of one more where nobody speaks of themselves.
BACK_WORDS, BACK_SHARE = 17, 0.8


def loop(reply: ReplyText) -> str:
    """Return what the reply says again and again, or "". In Chinese and Japanese two signs count as a word."""
    evidence = _loop(reply, RUN)
    in_signs = evidence and sum(map(len, reply.words)) < 2 * len(reply.words)
    return _loop(reply, 2 * RUN) if in_signs else evidence


def _loop(reply: ReplyText, size: int) -> str:
    words = reply.words
    if len(words) < LOOP_WORDS:
        return ""
    runs = runs_of(words, size)
    if not _enough(size * (len(runs) - len(set(runs))), len(words), SHARE_IF_OFTEN):
        return ""
    seen, repeated = set[tuple[str, ...]](), list[int]()
    for start, run in enumerate(runs):
        if run in seen:
            repeated.append(start)
        seen.add(run)
    again = covered(repeated, size)
    [(_, times)] = Counter(runs_of(words, size + 1)).most_common(1)
    if not _enough(len(again), len(words), SHARE_IF_OFTEN if times >= OFTEN else LOOP_SHARE):
        return ""
    if len(again) <= FORMS_AGAIN and _each_clause_says_something_new(reply, again):
        return ""
    [(often, times)] = Counter(runs).most_common(1)
    return f"{' '.join(often)} ({times} times)"


def _enough(again: int, words: int, share: float) -> bool:
    """Return whether a reply of so many ``words`` loops where so many were there before."""
    return 2 * again > words or again >= max(LOOP_WORDS, share * words)


def _each_clause_says_something_new(reply: ReplyText, again: Set[int]) -> bool:
    """Return whether each clause with words at places in ``again`` has one that is neither common nor was said, has few
    of those, and says nothing twice itself."""
    said, start = set[str](), 0
    for words in clauses_of(reply.normal):
        old = sum(place in again for place in range(start, start + len(words)))
        new, runs = set(words) - said, runs_of(words, RUN)
        if old > CLAUSE_AGAIN or (old and (new <= commonest_words() or len(set(runs)) < len(runs))):
            return False
        said |= new
        start += len(words)
    return True


def copy_of_reply_before(reply: ReplyText) -> str:
    """Return the words of a reply that says again what the reply before said; or "".

    A new word of the user in it makes it an answer, unless it is a long form in which little else changed.
    """
    words = reply.words
    if not reply.before or len(words) < FEW_WORDS:
        return ""
    if words != words_of(reply.before):
        return quotation(reply.text) if _copies(reply, _places_said(reply, reply.before)) else ""
    last = list(islice(_earlier_replies(reply), OFTEN - 1))
    often = len(last) == OFTEN - 1 and all(words_of(text) == words for text in last)
    return quotation(reply.text) if often or len(words) >= COPY_WORDS else ""


def copy_of_earlier_reply(reply: ReplyText) -> str:
    """Return the words of a reply that is one of the last ``EARLIER_REPLIES`` over again, as
    :func:`copy_of_reply_before` has it, or a form that is filled for the ``OFTEN``-th time; or ""."""
    least, most = COPY_SHARE * len(reply.words), len(reply.words) / COPY_SHARE
    if len(reply.words) < COPY_WORDS:
        return ""
    earlier = islice(_earlier_replies(reply), EARLIER_REPLIES)
    said = (_places_said(reply, text) for text in earlier if least <= len(words_of(text)) <= most)
    alike = [places for places in said if places]
    again = len(alike) >= OFTEN - 1 or any(_copies(reply, places) for places in alike)
    return quotation(reply.text) if again else ""


def _earlier_replies(reply: ReplyText) -> Iterator[str]:
    """Yield the replies before this one that have words, the latest first."""
    for message in reversed(reply.conversation):
        if message.role == "assistant" and words_of(message.content):
            yield message.content


def _copies(reply: ReplyText, same: Set[int]) -> bool:
    """Return whether a reply whose words at the places ``same`` were said before has no new word of the user beside
    them, or hardly another word."""
    words = reply.words
    if not same or (len(words) >= FORM_WORDS and len(same) >= FORM_SHARE * len(words)):
        return bool(same)
    new = {word for place, word in enumerate(words) if place not in same} - commonest_words()
    return new.isdisjoint(words_of(reply.asked))


def _places_said(reply: ReplyText, before: str) -> set[int]:
    """Return the places of the reply's words that lie in runs of the reply ``before``; none where these are fewer than
    a copy has."""
    words = reply.words
    most_new = (1 - COPY_SHARE) * len(words)
    if not before or len(words) < COPY_WORDS or len(reply.word_set - word_set_of(before)) > most_new:
        return set()
    same = shared(words, words_of(before), RUN)
    return same if len(same) >= len(words) - most_new else set()


def copy_of_user(reply: ReplyText) -> str:
    """Return the words of a reply that mostly says the user's message back, or ""."""
    words = reply.words
    if not reply.asked or len(words) < FEW_WORDS:
        return ""
    asked = words_of(reply.asked)
    if _common(words, asked) < ECHO_SHARE * len(words):
        return ""
    same = len(shared(words, asked, ECHO_RUN))
    echoes = same >= max(ECHO_WORDS, ECHO_SHARE * len(words)) or _says_sentences_back(reply)
    return quotation(reply.text) if echoes else ""


def _says_sentences_back(reply: ReplyText) -> bool:
    """Return whether a short reply is little but sentences of what was asked, asks nothing back and is no formula."""
    words = reply.words
    if len(words) > BACK_WORDS or ("?" in reply.text and "?" not in reply.asked):
        return False
    own = not reply.word_set.isdisjoint(topic_signs().own)
    if words[0] in polite_words() and not own:
        return False
    least = FEW_WORDS if own else FEW_WORDS + 1
    parts = {words_of(part) for part in (reply.asked, *ReplyText(reply.asked).sentences)}
    same = [shared(words, part, len(part)) for part in parts if least <= len(part) <= len(words)]
    return len(set().union(*same)) >= BACK_SHARE * len(words)


def _common(words: Sequence[str], others: Sequence[str]) -> int:
    """How many of ``words`` are among ``others``: no fewer than lie in runs that both have, and sooner counted."""
    known = set(others)
    return sum(word in known for word in words)
