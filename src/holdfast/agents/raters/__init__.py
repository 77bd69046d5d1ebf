"""Who judges a reply: raters of expressed empathy, named by an id in a study's YAML."""

from __future__ import annotations

from difflib import get_close_matches

from holdfast.agents.protocols import Rater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.core.errors import InputError

__all__ = ["RATERS", "LinearRater", "make_rater"]

#: Rater id -> what makes it.
RATERS: dict[str, type[LinearRater]] = {"linear": LinearRater}


def make_rater(rater_id: str) -> Rater:
    """The rater of that id. Raises :class:`InputError` for an unknown one."""
    if rater_id not in RATERS:
        near = get_close_matches(rater_id, RATERS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(f"unknown rater {rater_id!r}. Allowed: {', '.join(sorted(RATERS))}.{hint}")
    return RATERS[rater_id]()
