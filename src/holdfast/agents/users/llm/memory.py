"""The memory of a user played by a model: the last exchanges verbatim, earlier ones as short facts, and counts.

It lies in ``UserState.extra["driven"]`` as JSON values, so it is journalled with every turn. Its size is bounded
(:data:`MOST_CHARACTERS`) however long the conversation, and so are prompts and journal rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.agents.users.protocol import Intention, UserState

KEY = "driven"
#: Characters kept of a message, a reply, a thought; exchanges before the window remain as facts.
MESSAGE, REPLY, THOUGHT = 240, 480, 240
#: Number of facts kept, the newest; one per subject.
FACTS = 12
#: Most characters of :meth:`Memory.as_json` as JSON text: 20 exchanges (the widest window) and 12 facts of three
#: phrases of 80 characters (the persona schema's limit).
MOST_CHARACTERS = 20 * (MESSAGE + REPLY + 8) + FACTS * (3 * 80 + 40) + MESSAGE + THOUGHT + 1000


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that the user said or asked, and whether the reply took it up."""

    feeling: str | None
    topic: str | None
    need: str | None
    taken_up: bool

    @property
    def subject(self) -> tuple[str | None, str | None, str | None]:
        return (self.feeling, self.topic, self.need)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the user remembers (see the module). ``pending``: the user's message that waits for its reply."""

    exchanges: tuple[tuple[str, str], ...] = ()
    facts: tuple[Fact, ...] = ()
    pending: str = ""
    thought: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, state: UserState) -> Memory:
        """Return the memory in ``state``; an empty one before the first message."""
        raw: Mapping[str, Any] = state.extra.get(KEY, {})
        return cls(
            exchanges=tuple((user, reply) for user, reply in raw.get("exchanges", ())),
            facts=tuple(Fact(*fact) for fact in raw.get("facts", ())),
            pending=raw.get("pending", ""),
            thought=raw.get("thought", ""),
            counts=dict(raw.get("counts", {})),
        )

    def into(self, state: UserState) -> UserState:
        """Return ``state`` with this memory."""
        return replace(state, extra={**state.extra, KEY: self.as_json()})

    def as_json(self) -> dict[str, Any]:
        """Return the memory as JSON values; :meth:`of` reads it back."""
        return {
            "exchanges": [list(pair) for pair in self.exchanges],
            "facts": [[*fact.subject, fact.taken_up] for fact in self.facts],
            "pending": self.pending,
            "thought": self.thought,
            "counts": dict(self.counts),
        }

    def counting(self, **more: int) -> Memory:
        """Return the memory with ``more`` added to the counts."""
        counts = {**self.counts, **{name: self.counts.get(name, 0) + number for name, number in more.items()}}
        return replace(self, counts=counts)

    def saying(self, text: str) -> Memory:
        """Return the memory after the user's message ``text``."""
        return replace(self, pending=clipped(text, MESSAGE))

    def hearing(self, said: Intention, reply: str, *, taken_up: bool, thought: str, window: int) -> Memory:
        """Return the memory after the reply to the pending message; the last ``window`` exchanges stay verbatim."""
        exchanges = (*self.exchanges, (self.pending, clipped(reply, REPLY)))[-window:]
        facts = self.facts
        if said.kind not in ("thank", "close"):
            fact = Fact(said.feeling, said.topic, said.need, taken_up)
            facts = (*(earlier for earlier in facts if earlier.subject != fact.subject), fact)[-FACTS:]
        return replace(self, exchanges=exchanges, facts=facts, pending="", thought=clipped(thought, THOUGHT))


def clipped(text: str, most: int) -> str:
    """Return ``text`` on one line, cut to ``most`` characters with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
