"""Speculative decoding without a draft model: guess the next tokens, so that one pass reads several of them.

A pass over a handful of tokens costs little more than a pass over one, because most of it is reading weights, keys and
values. So each row guesses a few tokens, the engine reads them all and keeps those that it would have drawn anyway
(Leviathan et al., ICML 2023). A guess is what followed the last tokens the last time they occurred, in this
conversation (prompt lookup: Saxena, 2023) or in any reply under the same adapter (REST: He et al., NAACL 2024).

A wrong guess costs time and never changes a text: each token is still drawn from its own logits with its own uniform.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

ORDERS = (3, 2, 1)  # lengths of the runs that are looked up, longest first
LONGEST_RUN = ORDERS[0]
MOST_GUESSES = 8  # of one row in one pass
MOST_KNOWN = 1 << 18  # entries of a memory shared by the conversations under one adapter; about 40 MB
MOST_STALE = 3  # times as many entries as a conversation's tokens can make

_RECENT = 0.9  # weight of the past in the running mean of accepted tokens, per pass
_LEAST_ACCEPTED = 0.4  # tokens per row and pass: below it, reading guesses costs more than it saves
_TRY_EVERY, _TRY_TOKENS = 32, 2  # below it: passes between two tries, and tokens guessed then


class SeenPhrases:
    """The token that last followed each run of one to three tokens."""

    def __init__(self) -> None:
        self.next: dict[tuple[int, ...], int] = {}
        self.learned = 0  # tokens of the conversation that were learned

    def reread(self, tokens: Sequence[int], same: int) -> None:
        """Learn a whole conversation whose first ``same`` tokens are unchanged.

        Everything is forgotten first where repeatedly rewritten histories have left too many entries.
        """
        if len(self.next) > MOST_STALE * len(ORDERS) * len(tokens):
            self.next.clear()
            same = 0
        self.learn(tokens, min(same, self.learned))
        self.learned = len(tokens)

    def learn(self, tokens: Sequence[int], first: int) -> None:
        """Learn ``tokens`` from index ``first`` on; earlier ones serve as context only."""
        known = self.next
        for place in range(max(first, 1), len(tokens)):
            token = tokens[place]
            for order in ORDERS:
                if order <= place:
                    known[tuple(tokens[place - order : place])] = token


def guess(tail: Sequence[int], most: int, memories: Iterable[SeenPhrases], stops: frozenset[int]) -> list[int]:
    """Guess at most ``most`` tokens that follow ``tail``; earlier ``memories`` take precedence.

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
    """The engine's guesses: phrases shared between conversations, and whether guessing pays.

    ``tokens_a_pass``: the number of tokens up to which a pass costs little more than for one; rows share it.
    ``shared``: by adapter.
    """

    def __init__(self, tokens_a_pass: int) -> None:
        self.tokens_a_pass = tokens_a_pass
        self.shared: defaultdict[str | None, SeenPhrases] = defaultdict(SeenPhrases)
        self._accepted = 1.0  # running mean of a row's accepted guesses per pass
        self._idle = 0

    def most(self, rows: int) -> int:
        """Return how many tokens each of ``rows`` rows may guess in the coming pass."""
        most = max(0, min(MOST_GUESSES, self.tokens_a_pass // rows - 1))
        if self._accepted >= _LEAST_ACCEPTED:
            return most
        self._idle += 1
        return 0 if self._idle % _TRY_EVERY else min(most, _TRY_TOKENS)

    def learn(self, adapter: str | None, tokens: Sequence[int], first: int) -> None:
        """Share a reply with all conversations under ``adapter``."""
        shared = self.shared[adapter]
        if len(shared.next) > MOST_KNOWN:
            shared.next.clear()
        shared.learn(tokens, first)

    def record(self, accepted: int, rows: int) -> None:
        """Record one pass: ``accepted`` guessed tokens in all ``rows`` that guessed any."""
        if rows:
            self._accepted = _RECENT * self._accepted + (1 - _RECENT) * accepted / rows
