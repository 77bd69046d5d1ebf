"""The conversations whose adherence or expressed empathy falls most, kept while a log streams by."""

from collections.abc import Sequence

import numpy as np

from holdfast.simulator.logs.tallies import Fall, RatedConversation
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.decay.slope import episode_slopes

MOST_FALLS = 10
LEAST_FALL = 1e-9  # below it a slope is rounding
DIGITS = 9  # by which falls are told apart: sums in batches of other widths round otherwise


def falls_of(
    talks: Sequence[RatedConversation], values: Floats, levels: Sequence[Floats], *, texts: bool
) -> list[Fall]:
    """Return the conversations of a batch that fall most, at most ten. ``values``: conversations x turns.

    A conversation's line is its own least squares on the turn; conversations with fewer than three rated turns have
    none. What ranks is the fall of the line, and not its slope, which is steepest by chance in the shortest ones.
    """
    there = ~np.isnan(values)
    last = values.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    slopes = episode_slopes(values)
    falls = np.where(np.isnan(slopes), 0.0, slopes * (last - np.argmax(there, axis=1)))
    return deepest(
        [
            Fall(
                conversation=talks[row].conversation.id,
                place=talks[row].conversation.place,
                group=talks[row].group,
                turns=len(talks[row].turns.turns),
                rated=int(there[row].sum()),
                slope=float(slopes[row]),
                fall=float(falls[row]),
                talk=talks[row] if texts else None,
                levels=levels[row] if texts else None,
            )
            for row in np.flatnonzero(falls < -LEAST_FALL).tolist()
        ]
    )


def deepest(falls: Sequence[Fall]) -> list[Fall]:
    """Return the ten that fall most, the deepest first; equal falls by their conversations' ids."""
    return sorted(falls, key=lambda each: (round(each.fall, DIGITS), each.conversation))[:MOST_FALLS]
