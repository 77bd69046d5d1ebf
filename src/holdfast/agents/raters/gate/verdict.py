"""What the gate says of a reply: nothing, or an observed failure with its evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from unicodedata import category

from holdfast.agents.raters.gate.conduct import advertising, refused_words
from holdfast.agents.raters.gate.hostility import hostility
from holdfast.agents.raters.gate.reading import ReplyText, quotation, reply_texts
from holdfast.agents.raters.gate.repetition import copy_of_earlier_reply, copy_of_reply_before, copy_of_user, loop
from holdfast.agents.raters.gate.topic import off_topic
from holdfast.agents.raters.protocol import Failure, Passage

#: The checks in their order; the first that finds something gives the reason.
CHECKS: Mapping[Failure, Callable[[ReplyText], str]] = MappingProxyType(
    {
        "loop": loop,
        "copy of the user's message": copy_of_user,
        "copy of the reply before": copy_of_reply_before,
        "copy of an earlier reply": copy_of_earlier_reply,
        "hostile": hostility,
        "refusal": refused_words,
        "advertising": advertising,
        "off-topic": off_topic,
    }
)


#: Emoji and other pictures say something; marks of punctuation alone do not.
_SYMBOLS = ("So", "Sk")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a reply is disqualified. ``evidence``: a short quotation; text from a model, so escape it where shown."""

    failure: Failure
    evidence: str


def verdict_of(passage: Passage) -> Verdict | None:
    """Return why the last reply of a passage is disqualified; None where it is not, or there is none.

    Of a ``whole`` dialogue: None unless every reply with words is disqualified; the last one's verdict then.
    """
    return verdict_of_replies(passage, list(reply_texts(passage.messages, whole=passage.whole)))


def verdict_of_replies(passage: Passage, replies: Sequence[ReplyText]) -> Verdict | None:
    """As :func:`verdict_of`, of a passage whose ``replies`` were read already."""
    verdicts = []
    for reply in replies:
        verdicts.append(verdict_of_reply(reply))
        if verdicts[-1] is None:
            return None
    if verdicts:
        return verdicts[-1]
    silent = any(message.role == "assistant" for message in passage.messages)
    return Verdict("empty", "") if silent else None


def verdict_of_reply(reply: ReplyText) -> Verdict | None:
    """Return why a reply is disqualified; None where it is not."""
    if not any(character.isalnum() or category(character) in _SYMBOLS for character in reply.text):
        return Verdict("empty", quotation(reply.text.strip()))
    for failure, check in CHECKS.items():
        if evidence := check(reply):
            return Verdict(failure, quotation(evidence))
    return None
