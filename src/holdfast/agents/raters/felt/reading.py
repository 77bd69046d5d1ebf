"""What the feeler takes in of a chat: its last exchanges, as counted numbers and as runs of words. No rater's levels.

The chats that people labelled have three exchanges, so no more than three are read, however long a chat is: a mean over
thirty turns would be a number that nothing was fitted on. What is said of late turns is extrapolated all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.agents.raters.dialogue.features import COUNTED, by_way, count_turns
from holdfast.agents.raters.dialogue.reading import COUNT_WEIGHT
from holdfast.agents.raters.dialogue.window import WindowTurn, turns
from holdfast.agents.raters.linear.features import ENDS, START, Floats, Ints, tokens
from holdfast.agents.raters.protocol import Passage

HISTORY = 2  # turns before the newest that are read
WAYS = ("mean", "before last", "last")
REPLY, USER = 0, 1  # whose words a run is of
LAST_MESSAGES = 2  # messages of the user that count as last: the reply is judged by what the user says to it next
#: What a standard deviation of each number counts for: of what is counted; of whether one exchange, or two, are read.
WEIGHTS: Floats = np.concatenate([np.full(len(WAYS) * len(COUNTED), COUNT_WEIGHT), np.ones(HISTORY)])

Window = tuple[WindowTurn, ...]


@dataclass(frozen=True, slots=True)
class FeltReading:
    """n chats, of each the last exchanges; none where there is no reply."""

    windows: tuple[Window, ...]

    def rows(self, chosen: Ints) -> FeltReading:
        """The chats of these numbers only."""
        return FeltReading(tuple(self.windows[int(i)] for i in chosen))


class WindowReader:
    """Reads passages: the last three exchanges of each."""

    def read(self, passages: Sequence[Passage]) -> FeltReading:
        """One window a passage; the whole chat is what its end says."""
        return FeltReading(tuple(window_of(passage) for passage in passages))


def window_of(passage: Passage) -> Window:
    """The last exchanges up to the last reply, oldest first; none without a reply."""
    return turns(passage, HISTORY)[-1 - HISTORY :]


def windows_of(passage: Passage) -> list[Window]:
    """The windows that a passage is scored by: its end; of a ``whole`` chat that is longer, every window in it."""
    if not passage.whole:
        return [window] if (window := window_of(passage)) else []
    exchanges = turns(passage, None)
    starts = range(max(len(exchanges) - HISTORY, 1))
    return [exchanges[start : start + 1 + HISTORY] for start in starts] if exchanges else []


def numbers_of(window: Window) -> Floats:
    """(D,) what is counted, way by way, then whether the window has one exchange only, and whether it has two."""
    counted = by_way(np.array(count_turns(window)), WAYS)
    return np.concatenate([counted, [float(len(window) == size) for size in range(1, HISTORY + 1)]])


def runs(text: str, numbers: Mapping[str, int], side: int) -> tuple[int, ...]:
    """The key of each run of one to three known words within a sentence, each once, in the text's order.

    A key reads the words' numbers as digits, the ``side`` last. ``numbers``: see :class:`WordTable`.
    """
    base, get = len(numbers) + 1, numbers.get
    keys: dict[int, None] = {}
    before = last = 0  # the two words before, 0 where there is none or it is unknown
    ended = True
    for token in tokens(text):
        ends = token in ENDS
        if ended and not ends:
            before, last = 0, numbers[START]
        number = get(token, 0)
        if number:
            keys[2 * number + side] = None
            if last:
                keys[2 * (last * base + number) + side] = None
                if before:
                    keys[2 * ((before * base + last) * base + number) + side] = None
        before, last, ended = last, number, ends
    return tuple(keys)
