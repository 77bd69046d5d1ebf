"""Which part of a conversation a rater reads: the exchange that is rated, and the turns before it of both speakers.

Raters that read history follow ConText (Pereira et al., WASSA 2024): a turn is rated together with the previous c
turns, because "I see." after a loss is not "I see." after a joke.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import Passage, holds_reply

_SPLIT_APOSTROPHE = re.compile(r"(?<=\w)\s+['\u2019]\s*(?=\w)")  # "i ' m", as tokenised chatbots write


@dataclass(frozen=True, slots=True)
class WindowTurn:
    """One exchange: what the user said (several messages joined, or nothing) and the reply to it."""

    user: str
    reply: str


def tidy(text: str) -> str:
    """``text`` with the apostrophes of tokenised chatbots put back: "i ' m" is "i'm"."""
    return _SPLIT_APOSTROPHE.sub("'", text) if "'" in text or "\u2019" in text else text


def turns(passage: Passage, history: int | None) -> tuple[WindowTurn, ...]:
    """The rated exchange and up to ``history`` before it, oldest first; all with None or where ``passage.whole``.

    Messages of one speaker in a row are joined. What the user says after the last reply is not part of it; system
    messages are left out, and so are replies without words. A passage without a reply has no turn.
    """
    if not holds_reply(passage):
        return ()
    turns_read: list[WindowTurn] = []
    user: list[str] = []
    reply: list[str] = []
    for message in passage.messages if history is None or passage.whole else _end(passage.messages, history + 1):
        if message.role == "assistant" and message.content.strip():
            reply.append(tidy(message.content))
        elif message.role == "user":
            if reply:
                turns_read.append(WindowTurn("\n".join(user), "\n".join(reply)))
                user, reply = [], []
            user.append(tidy(message.content))
    if reply:
        turns_read.append(WindowTurn("\n".join(user), "\n".join(reply)))
    return tuple(turns_read)


def _end(messages: Sequence[Message], exchanges: int) -> Sequence[Message]:
    """The messages of the last ``exchanges``: a window costs the same in a long conversation as in a short one."""
    replied = asked = False
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if message.role == "user":
            asked = replied
        elif message.role == "assistant" and message.content.strip():
            if asked:  # a reply before the exchange's first message: of the exchange before
                exchanges, asked = exchanges - 1, False
                if exchanges == 0:
                    return messages[place + 1 :]
            replied = True
    return messages
