"""What a study means by "holds", in its ``holding`` section: written before its first turn, kept in its journal.

::

    holding:
      margin: 0.1        # the last quarter may differ from the first by less than this, up or down
      level: 0.7         # the last quarter must be shown to lie above this
      below_base: 0.05   # and may lie below the baseline's by less than this

All three numbers are adherence, 0 to 1. The defaults are holdfast's assumptions: a tenth of the scale is a fifth of a
level of each mechanism, and .7 is what a turn needs to be trained on (``min_adherence``).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from holdfast.personas.schema import Frozen

Margin = Annotated[float, Field(gt=0, le=1)]
_ASSUMED = "adherence, 0 to 1; the default is holdfast's assumption"


class HoldingTerms(Frozen):
    """The margins and the level that "holds" is tested against."""

    margin: Margin = Field(
        default=0.1, description=f"The last quarter may differ from the first by less than this: {_ASSUMED}"
    )
    level: float = Field(
        default=0.7, ge=0, lt=1, description=f"The last quarter must be shown to lie above this: {_ASSUMED}"
    )
    below_base: Margin = Field(
        default=0.05, description=f"It may lie below the baseline's by less than this: {_ASSUMED}"
    )


ASSUMED = HoldingTerms()  # where a study says nothing
