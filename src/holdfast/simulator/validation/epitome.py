"""EPITOME's judged replies: levels 0-2 of three mechanisms, one reply to one post of Reddit.

They are not among the pairs that raters are fitted on (``epitome_reddit``), but one post has a reply in each. The post
that was answered stands for the person, so that reply is left out of the report on a rater that saw the post.
"""

from pathlib import Path

from holdfast.agents.raters.linear.epitome_pairs import POSTS
from holdfast.agents.raters.protocol import EXPRESSED
from holdfast.simulator.validation.judged import Judged, JudgedSet, read_judged

EPITOME = JudgedSet(
    dataset="epitome",
    scale=EXPRESSED,
    dimensions={f"level_{mechanism}s": mechanism for mechanism in EXPRESSED.dimensions},
    population=POSTS,
    person=lambda conversation: conversation.split("_")[0],
    whole=False,
)


def read_epitome(data: Path) -> Judged:
    """The judged replies. Raises :class:`DataError` where they are absent or malformed."""
    return read_judged(data, EPITOME)
