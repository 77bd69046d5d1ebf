"""How the gate stands own cases: run as a script, ``python tests/launch.py tests.agents.raters.gate.case_table``.

``cases.jsonl`` holds hostility without insulting words, statements about something else, and good or plain replies that
are near them (boundaries, humour with the user, quoted insults, curt help, lists of advice). A language model wrote
them before it read the gate. A hash of the reply splits them: on one half the signs were built, the other was looked at
once, when they were frozen. The same writer chose the signs, and knew both halves: read the second with that in mind.
Those "written later" came after the first signs and avoid them on purpose; they were never built on.

``repetition_cases.jsonl`` holds loops, copies of earlier replies and echoes, and what is near them (emphasis, anaphora,
lists, polite formulas, reflection), with what was said before. They were written before version 4 of the gate, by
the same kind of writer, and are split and looked at in the same way.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from holdfast.agents.raters.gate.verdict import verdict_of
from tests.passages import dialogue

FILES = tuple(map(Path(__file__).with_name, ("cases.jsonl", "repetition_cases.jsonl")))
HALVES = ("build", "check")
#: What each kind of case should be stopped as.
WANTED: Mapping[str, str | None] = {
    "hostile": "hostile",
    "off_topic": "off-topic",
    "plain": None,
    "hostile, written later": "hostile",
    "short loop": "loop",
    "swapped loop": "loop",
    "near a loop": None,
    "swapped copy": "copy of the reply before",
    "near a copy": None,
    "earlier reply": "copy of an earlier reply",
    "near an earlier reply": None,
    "echo": "copy of the user's message",
    "near an echo": None,
}


@dataclass(frozen=True, slots=True)
class Case:
    """A reply to what a user said; ``said``: all that was said before it, first and last by the user."""

    kind: str
    said: tuple[str, ...]
    reply: str

    @property
    def half(self) -> str:
        return HALVES[sha256(self.reply.encode()).digest()[0] % 2]

    @property
    def failure(self) -> str | None:
        """What the gate stops it as."""
        verdict = verdict_of(dialogue(*self.said, self.reply))
        return verdict.failure if verdict else None

    @property
    def right(self) -> bool:
        return self.failure == WANTED[self.kind]


def cases() -> list[Case]:
    """All of them."""
    rows = [json.loads(line) for file in FILES for line in file.read_text(encoding="utf-8").splitlines()]
    return [Case(row["kind"], tuple(row.get("said") or [row["user"]]), row["reply"]) for row in rows]


def counts(half: str) -> dict[str, tuple[int, int]]:
    """By kind, how many of a half are judged as they should be, and how many there are."""
    chosen = [case for case in cases() if case.half == half]
    right, total = (Counter(case.kind for case in each) for each in ((c for c in chosen if c.right), chosen))
    return {kind: (right[kind], total[kind]) for kind in WANTED}


if __name__ == "__main__":
    for half in HALVES:
        print(half, "; ".join(f"{kind} {right} of {total}" for kind, (right, total) in counts(half).items()))
