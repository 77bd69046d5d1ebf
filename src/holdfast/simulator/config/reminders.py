"""Reminders whose period a quarter of the conversation is a whole number of: first against last then hides them.

What a reminder does fades until the next one. Where its period divides a quarter, the first and the last quarter hold
just as many turns of each age, and their comparison says nothing of the fading between; the whole curve does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from holdfast.agents.assistants.specs import CandidateSpec, ReminderSpec


def quarter_length(turns: int) -> int:
    """Return the turns of a quarter of a conversation planned for ``turns``: at least 1."""
    return max(1, turns // 4)


def hidden_period(spec: CandidateSpec, lengths: Iterable[int]) -> str:
    """Say that a candidate's reminders divide a quarter of one of these lengths; "" where they do not.

    A reminder in every turn fades nowhere, so it hides nothing.
    """
    if not isinstance(spec, ReminderSpec) or spec.every == 1:
        return ""
    for turns in lengths:
        if quarter_length(turns) % spec.every == 0:
            return (
                f"a reminder every {spec.every} turns divides a quarter of {turns} turns ({quarter_length(turns)}): "
                "what fades between reminders cancels in last against first quarter; read the whole curve, or take "
                f"another period, such as {_another(spec.every, turns)}"
            )
    return ""


def hidden_periods(candidates: Iterable[CandidateSpec], lengths: Iterable[int]) -> Iterator[str]:
    """Yield :func:`hidden_period` of each candidate that has one, with its name."""
    planned = tuple(lengths)
    yield from (f"candidate {spec.name!r}: {why}" for spec in candidates if (why := hidden_period(spec, planned)))


def _another(every: int, turns: int) -> int:
    """The next longer period that does not divide a quarter."""
    return next(period for period in range(every + 1, every + turns + 2) if quarter_length(turns) % period)
