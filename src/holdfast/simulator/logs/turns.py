"""Split a conversation into turns: a user message and the reply to it, numbered from 1.

Consecutive messages of one role are joined. What an assistant says before the user's first message is an opening, not a
reply. A label on a reply belongs to its turn; one on a user's message judges what came before it, so it belongs to the
turn before, and to turn 0 where there is none.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Message
from holdfast.agents.raters.judge.quoting import quote_message
from holdfast.agents.raters.protocol import Passage
from holdfast.simulator.logs.records import LogMessage

WITHHELD = "the log does not hold the text"  # of a reply that was not empty, as far as it says


@dataclass(frozen=True, slots=True)
class LogTurn:
    """One turn. ``chars``: of the reply, nan where unknown; ``tags``: its tactics in the data; ``missing``: why the
    reply has no text, where the log says so or leaves texts out; ``thoughts``: whether the log holds thoughts."""

    user: str
    reply: str
    chars: float
    labels: Mapping[str, float]
    tags: tuple[str, ...] = ()
    missing: str = ""
    thoughts: bool = False


@dataclass(frozen=True, slots=True)
class Turns:
    """A conversation's turns. ``before``: labels of turn 0; ``openings``: messages before the user's first."""

    turns: tuple[LogTurn, ...]
    before: Mapping[str, float]
    openings: int


class _Draft:
    __slots__ = ("labels", "replies", "users")

    def __init__(self) -> None:
        self.users: list[str] = []
        self.replies: list[LogMessage] = []
        self.labels: dict[str, list[float]] = {}

    def label(self, labels: Mapping[str, float]) -> None:
        for name, value in labels.items():
            self.labels.setdefault(name, []).append(value)


def turns_of(messages: Sequence[LogMessage]) -> Turns:
    """Split a conversation into turns. Several labels of one name in a turn are averaged."""
    before = _Draft()
    drafts: list[_Draft] = []
    openings = 0
    for message in messages:
        if message.role == "user":
            if not drafts or drafts[-1].replies:
                (drafts[-1] if drafts else before).label(message.labels)
                drafts.append(_Draft())
            else:  # the user goes on before any reply: still about the turn before
                (drafts[-2] if len(drafts) > 1 else before).label(message.labels)
            drafts[-1].users.append(message.text)
        elif message.role == "assistant" and drafts:
            drafts[-1].replies.append(message)
            drafts[-1].label(message.labels)
        elif message.role == "assistant":
            openings += 1
    turns = tuple(_turn(draft) for draft in drafts if draft.replies)
    return Turns(turns, _means(before), openings)


def passages_of(turns: Turns) -> list[Passage]:
    """Return each reply with the conversation up to it, as raters take it; what came before holds no empty replies."""
    messages: list[Message] = []
    passages = []
    for turn in turns.turns:
        messages.append(Message("user", turn.user))
        reply = Message("assistant", turn.reply)
        passages.append(Passage((*messages, reply)))
        if turn.reply.strip():
            messages.append(reply)
    return passages


def passage_hashes(turns: Turns) -> list[str]:
    """Return the SHA-256 of each passage of :func:`passages_of`, as ``holdfast judge`` writes it, in linear time."""
    before, messages = hashlib.sha256(), 0
    hashes = []
    for turn in turns.turns:
        line = quote_message(messages + 1, Message("user", turn.user))
        before.update(_encoded(f"\n{line}" if messages else line))
        passage = before.copy()
        passage.update(_encoded("\n" + quote_message(messages + 2, Message("assistant", turn.reply))))
        hashes.append(passage.hexdigest())
        messages += 1
        if turn.reply.strip():
            before, messages = passage, messages + 1
    return hashes


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _turn(draft: _Draft) -> LogTurn:
    said = [message for message in draft.replies if message.text.strip()]
    missing = dict.fromkeys(message.missing for message in draft.replies if message.missing)
    withheld = any(message.chars for message in draft.replies)
    unknown = bool(missing) and not said  # no answer has no length, and is no answer of length 0
    return LogTurn(
        user="\n".join(draft.users),
        reply="\n".join(message.text for message in said),
        chars=math.nan if unknown else float(sum(message.length for message in draft.replies)),
        labels=_means(draft),
        tags=tuple(message.tag for message in draft.replies if message.tag),
        missing=", ".join(missing) if unknown else WITHHELD if withheld and not said else "",
        thoughts=any(message.thoughts for message in draft.replies),
    )


def _means(draft: _Draft) -> dict[str, float]:
    return {name: sum(values) / len(values) for name, values in draft.labels.items()}
