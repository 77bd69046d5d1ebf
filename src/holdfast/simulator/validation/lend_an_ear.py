"""Lend an Ear: conversations between a supporter and a troubled person, six communicated acts, 1-5 each.

Few: 50 in all. Each has its own supporter as far as the data tell, so the conversation stands for the person.
"""

from pathlib import Path

from holdfast.agents.raters.protocol import ACTS
from holdfast.simulator.validation.judged import Judged, JudgedSet, read_judged

LEND_AN_EAR = JudgedSet(
    dataset="lend_an_ear",
    scale=ACTS,
    dimensions={act: act for act in ACTS.dimensions},
    population="lend an ear",
    person=lambda conversation: conversation,
    whole=True,
)


def read_lend_an_ear(data: Path) -> Judged:
    """The judged conversations. Raises :class:`DataError` where they are absent or malformed."""
    return read_judged(data, LEND_AN_EAR)
