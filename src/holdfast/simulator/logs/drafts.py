"""A conversation while it is read: its messages, and what of it cannot be used.

A message that is lost damages its conversation, which is then left out as a whole: without it the reply before and the
message after would be paired anew. What only a tool says, and labels that are wrong, damage nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.agents.protocols import Role
from holdfast.agents.raters.linear.legibility import NO_TEXT
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import describe_value, quote
from holdfast.simulator.logs.records import Conversation, End, LogMessage
from holdfast.simulator.logs.shapes import role_word, unwrapped
from holdfast.simulator.logs.speech import speech_of
from holdfast.simulator.logs.values import is_silent, labels_of, number_of, role_of, word_of

NOT_A_ROLE = "role is not user, assistant or system"
BLANK = "a user's message without text; its turn is kept"
TOOL = "a tool's output or call, which nobody says"


@dataclass
class ConversationDraft:
    """What was read of a conversation so far. ``place``: where it begins."""

    place: str
    messages: list[LogMessage] = field(default_factory=list)
    skips: list[SkippedLine] = field(default_factory=list)
    damage: SkippedLine | None = None

    def lose(self, where: str, reason: str, detail: str = "") -> None:
        """Note that a message at ``where`` is lost, and with it the conversation."""
        if self.damage is None:
            self.damage = SkippedLine(where, "conversation", f"left out: {reason}", detail)

    def read(self, listed: Sequence[Any]) -> None:
        """Add the messages of a list, in any of the shapes that :mod:`shapes` knows."""
        for number, raw in enumerate(listed, start=1):
            where = f"{self.place}, message {number}"
            if isinstance(raw, dict):
                self.add(unwrapped(raw), where)
            else:
                self.lose(where, "not a message", describe_value(raw))

    def add(self, raw: Mapping[str, Any], where: str) -> None:
        """Add a message with a role, a content, and perhaps ``labels``, ``tag`` and ``chars``."""
        word = role_word(raw)
        role = role_of(word)
        if role is None:
            if is_silent(word):
                self.skips.append(SkippedLine(where, "message", TOOL))
            else:
                self.lose(where, NOT_A_ROLE, quote(word) if word else "none is named")
            return
        faults: list[tuple[str, str]] = []
        labels = labels_of(raw.get("labels"), faults) if "labels" in raw else {}
        if faults:
            self.fault(where, faults)
        chars = number_of(raw["chars"]) if "chars" in raw else None
        length = float(chars) if chars is not None and 0 <= chars <= 10**9 else None
        tag = word_of(raw["tag"]) if "tag" in raw else ""
        self.say(role, raw, where, labels=labels, tag=tag, chars=length)

    def say(
        self,
        role: Role,
        raw: Mapping[str, Any] | str,
        where: str,
        *,
        labels: Mapping[str, float] | None = None,
        tag: str = "",
        chars: float | None = None,
    ) -> None:
        """Add what ``role`` says. ``raw``: its text, or a mapping that holds it in any shape; ``chars``: the length of
        a text that the log does not hold."""
        speech = speech_of(role, raw)
        if speech.unreadable:
            self.lose(where, "a message's content has an unknown shape", speech.unreadable)
            return
        if role == "system" and not speech.text.strip():
            return
        blank = not speech.text.strip() and speech.missing in ("", NO_TEXT)
        if role == "user" and blank and chars is None and not labels:
            self.skips.append(SkippedLine(where, "message", BLANK))
        known = chars if not speech.text else None
        missing = "" if known is not None or role != "assistant" else speech.missing
        self.messages.append(LogMessage(role, speech.text, labels or {}, tag, known, speech.thoughts, missing))

    def fault(self, where: str, faults: Sequence[tuple[str, str]]) -> None:
        """Note labels that cannot be used: (reason, name) each."""
        self.skips += [SkippedLine(where, "label", reason, name) for reason, name in faults]

    def finish(
        self,
        id: str,
        *,
        speaker: str = "",
        columns: Mapping[str, str] | None = None,
        labels: Mapping[str, float] | None = None,
        planned: int | None = None,
        end: End = "",
    ) -> Iterator[Conversation | SkippedLine]:
        """Yield what was skipped, and the conversation, unless it is damaged or empty. ``id``: "" takes its place."""
        yield from self.skips
        if self.damage is not None:
            yield self.damage
        elif not any(message.role != "system" for message in self.messages):
            yield SkippedLine(self.place, "conversation", "no messages")
        else:
            said = tuple(self.messages)
            yield Conversation(id or self.place, self.place, said, speaker, columns or {}, labels or {}, planned, end)
