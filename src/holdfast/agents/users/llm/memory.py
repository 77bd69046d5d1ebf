"""What a model-driven user remembers: the last few exchanges word for word, the rest as short facts, and counts.

It lies in ``UserState.extra["driven"]`` as JSON values, so it is journalled with every turn. Its size is bounded
(:data:`MOST_CHARACTERS`) however long the conversation: a model's prompt, and a turn's row, do not grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.agents.protocols import Intention, UserState

KEY = "driven"
#: Characters kept of one remembered message and of one reply; exchanges beyond the window live on as facts.
MESSAGE, REPLY, THOUGHT = 240, 480, 240
#: Facts kept, the newest: one for each thing said, however often.
FACTS = 12
#: What :meth:`Memory.as_json` comes to at most, as JSON text, with the widest window: 20 exchanges and 12 facts whose
#: three phrases have 80 characters each (the persona schema's limit).
MOST_CHARACTERS = 20 * (MESSAGE + REPLY + 8) + FACTS * (3 * 80 + 40) + MESSAGE + THOUGHT + 1000


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that the user has told or asked, and whether the reply took it up."""

    feeling: str | None
    topic: str | None
    need: str | None
    taken_up: bool

    @property
    def subject(self) -> tuple[str | None, str | None, str | None]:
        return (self.feeling, self.topic, self.need)


@dataclass(frozen=True, slots=True)
class Memory:
    """See the module. ``pending``: the user's message that waits for its reply."""

    exchanges: tuple[tuple[str, str], ...] = ()
    facts: tuple[Fact, ...] = ()
    pending: str = ""
    thought: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, state: UserState) -> Memory:
        """The memory that ``state`` carries; an empty one before the first message."""
        raw: Mapping[str, Any] = state.extra.get(KEY, {})
        return cls(
            exchanges=tuple((user, reply) for user, reply in raw.get("exchanges", ())),
            facts=tuple(Fact(*fact) for fact in raw.get("facts", ())),
            pending=raw.get("pending", ""),
            thought=raw.get("thought", ""),
            counts=dict(raw.get("counts", {})),
        )

    def into(self, state: UserState) -> UserState:
        """``state`` with this memory."""
        return replace(state, extra={**state.extra, KEY: self.as_json()})

    def as_json(self) -> dict[str, Any]:
        """The memory as JSON values; :meth:`of` reads it back."""
        return {
            "exchanges": [list(pair) for pair in self.exchanges],
            "facts": [[*fact.subject, fact.taken_up] for fact in self.facts],
            "pending": self.pending,
            "thought": self.thought,
            "counts": dict(self.counts),
        }

    def counting(self, **more: int) -> Memory:
        """With ``more`` added to the counts."""
        counts = {**self.counts, **{name: self.counts.get(name, 0) + number for name, number in more.items()}}
        return replace(self, counts=counts)

    def saying(self, text: str) -> Memory:
        """After the user has written ``text``."""
        return replace(self, pending=clipped(text, MESSAGE))

    def hearing(self, said: Intention, reply: str, *, taken_up: bool, thought: str, window: int) -> Memory:
        """After the reply to the pending message: the last ``window`` exchanges stay as they were said."""
        exchanges = (*self.exchanges, (self.pending, clipped(reply, REPLY)))[-window:]
        facts = self.facts
        if said.kind not in ("thank", "close"):
            fact = Fact(said.feeling, said.topic, said.need, taken_up)
            facts = (*(one for one in facts if one.subject != fact.subject), fact)[-FACTS:]
        return replace(self, exchanges=exchanges, facts=facts, pending="", thought=clipped(thought, THOUGHT))


def clipped(text: str, most: int) -> str:
    """``text`` on one line, cut to ``most`` characters with an ellipsis where something was cut."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
