"""Guessing what a reply will say next, so that one pass reads several tokens instead of one.

A pass over a handful of tokens costs little more than a pass over one, because most of it is reading weights, keys and
values. So the engine lets each row guess a few tokens, reads them all, and keeps those that it would have drawn anyway
(speculative decoding: Leviathan et al., ICML 2023). The guesses are looked up, not computed: what followed the last
tokens the last time they were seen, in this conversation (prompt lookup: Saxena, 2023) or in any reply under the same
adapter (REST: He et al., NAACL 2024). People and assistants who talk for long repeat names and turns of phrase.

A wrong guess costs time and never changes a text: each token is still drawn from its own logits with its own chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

ORDERS = (3, 2, 1)  # lengths of what is looked up, the longest that is known first
LONGEST_RUN = ORDERS[0]
MOST_GUESSES = 8  # of one row in one pass
MOST_KNOWN = 1 << 18  # entries of a memory shared by the conversations under one adapter; about 40 MB
MOST_STALE = 3  # times as many entries as a conversation's tokens can make

_RECENT = 0.9  # weight of the past when what came true is averaged, a pass
_WORTH_IT = 0.4  # tokens of a row that must come true in a pass: what reading the guesses costs beside one pass
_TRY_EVERY, _TRIED = 32, 2  # while they do not: passes between two tries, and how many are guessed then


class SeenPhrases:
    """What followed each run of one to three tokens the last time it was seen."""

    def __init__(self) -> None:
        self.next: dict[tuple[int, ...], int] = {}
        self.learned = 0  # tokens of a conversation that were read into it

    def reread(self, tokens: Sequence[int], same: int) -> None:
        """Read a whole conversation, of which the first ``same`` tokens are as they were.

        One whose beginning is dropped again and again would leave more and more here; then all is forgotten first.
        """
        if len(self.next) > MOST_STALE * len(ORDERS) * len(tokens):
            self.next.clear()
            same = 0
        self.learn(tokens, min(same, self.learned))
        self.learned = len(tokens)

    def learn(self, tokens: Sequence[int], first: int) -> None:
        """Read ``tokens`` from place ``first`` on; those before are only what they follow."""
        known = self.next
        for place in range(max(first, 1), len(tokens)):
            token = tokens[place]
            for order in ORDERS:
                if order <= place:
                    known[tuple(tokens[place - order : place])] = token


def guess(tail: Sequence[int], most: int, memories: Iterable[SeenPhrases], stops: frozenset[int]) -> list[int]:
    """At most ``most`` tokens that may follow ``tail``; the first of ``memories`` that knows one says it.

    Ends where nothing is known, and after a token of ``stops``.
    """
    known = [memory.next for memory in memories]
    guesses: list[int] = []
    recent = tuple(tail[-LONGEST_RUN:])
    while len(guesses) < most:
        token = _following(recent, known)
        if token is None:
            break
        guesses.append(token)
        if token in stops:
            break
        recent = (*recent[1 - LONGEST_RUN :], token)
    return guesses


def _following(recent: tuple[int, ...], known: Sequence[dict[tuple[int, ...], int]]) -> int | None:
    for order in ORDERS:
        run = recent[-order:]
        for memory in known:
            if run in memory:
                return memory[run]
    return None


class Lookahead:
    """The engine's guesses: shared memories, and whether guessing pays.

    ``tokens_a_pass``: up to how many tokens a pass costs little more than fewer; more rows share them out.
    """

    def __init__(self, tokens_a_pass: int) -> None:
        self.tokens_a_pass = tokens_a_pass
        self._shared: defaultdict[str | None, SeenPhrases] = defaultdict(SeenPhrases)
        self._true = 1.0  # running mean of a row's guesses that come true in a pass
        self._idle = 0

    def most(self, rows: int) -> int:
        """How many tokens each of so many rows may guess in the coming pass."""
        most = max(0, min(MOST_GUESSES, self.tokens_a_pass // rows - 1))
        if self._true >= _WORTH_IT:
            return most
        self._idle += 1
        return 0 if self._idle % _TRY_EVERY else min(most, _TRIED)

    def guess(
        self, own: SeenPhrases, adapter: str | None, tail: Sequence[int], most: int, stops: frozenset[int]
    ) -> list[int]:
        """See :func:`guess`; the conversation's ``own`` phrases come before those of others."""
        return guess(tail, most, (own, self._shared[adapter]), stops)

    def learn(self, adapter: str | None, tokens: Sequence[int], first: int) -> None:
        """Let all conversations under ``adapter`` know a reply."""
        shared = self._shared[adapter]
        if len(shared.next) > MOST_KNOWN:
            shared.next.clear()
        shared.learn(tokens, first)

    def came_true(self, accepted: int, rows: int) -> None:
        """How the guesses of one pass fared: how many tokens were ``accepted`` in all ``rows`` that guessed any."""
        if rows:
            self._true = _RECENT * self._true + (1 - _RECENT) * accepted / rows
