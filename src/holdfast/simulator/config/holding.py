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

from typing import Annotated, Any

from pydantic import Field

from holdfast.personas.schema import Frozen


def _adherence(description: str, **bounds: Any) -> Any:
    return Field(description=f"{description}: adherence, 0 to 1; the default is holdfast's assumption", **bounds)


class HoldingTerms(Frozen):
    """The margins and the level that "holds" is tested against."""

    margin: Annotated[float, _adherence("Last and first quarter differ by less than this", gt=0, le=1)] = 0.1
    level: Annotated[float, _adherence("The last quarter is shown to lie above this", ge=0, lt=1)] = 0.7
    below_base: Annotated[float, _adherence("It lies below the baseline's by less than this", gt=0, le=1)] = 0.05


ASSUMED = HoldingTerms()  # where a study says nothing
