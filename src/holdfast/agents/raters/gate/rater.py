"""Any rater behind the gate: what it rates is checked first, and it knows nothing of that."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from holdfast.agents.raters.gate.language import unknown_language
from holdfast.agents.raters.gate.reading import ReplyText, reply_texts
from holdfast.agents.raters.gate.verdict import verdict_of_replies
from holdfast.agents.raters.protocol import NO_REPLY, Failure, Passage, Rater, RaterIdentity, Rating, Scale

GATE_VERSION = "4"  # goes up with every change of what is stopped: ratings made before are others

NO_ANSWER = "no answer: "  # before the cause of a reply without text


@dataclass(frozen=True, slots=True)
class GatedRater:
    """``rater``, with replies that fail marked as disqualified, and those in other languages left unrated.

    Implements :class:`holdfast.agents.raters.protocol.Rater`. A disqualified reply is rated all the same, for what the
    user makes of its words; its adherence is 0 whatever the values are. A rater says which languages it knows (ISO
    639-1 codes) by a property ``languages``; one without it, or with None there, is asked in any.
    """

    rater: Rater

    @property
    def identity(self) -> RaterIdentity:
        return self.rater.identity

    @property
    def scale(self) -> Scale:
        return self.rater.scale

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        known: frozenset[str] | None = getattr(self.rater, "languages", None)
        read = [list(reply_texts(passage.messages, whole=passage.whole)) for passage in passages]
        verdicts = [verdict_of_replies(passage, replies) for passage, replies in zip(passages, read, strict=True)]
        reasons = [_why_not(replies, known) for replies in read]
        asked = [place for place, reason in enumerate(reasons) if not reason]
        answers = await self.rater.rate([passages[place] for place in asked]) if asked else []
        ratings = [Rating(missing=reason) for reason in reasons]
        for place, answer in zip(asked, answers, strict=True):
            ratings[place] = answer
        return [
            rating if verdict is None else disqualified(rating, verdict.failure, verdict.evidence)
            for rating, verdict in zip(ratings, verdicts, strict=True)
        ]


def _why_not(read: Sequence[ReplyText], known: Collection[str] | None) -> str:
    """Return why the rater need not be asked: there is no reply, or all are in languages that it does not know.

    ``known``: its languages; None where it does not say.
    """
    replies = [reply for reply in read if reply.text.strip()]
    if not replies:
        return NO_REPLY
    if known is None:
        return ""
    reasons = [unknown_language(reply, known) for reply in replies]
    return reasons[-1] if all(reasons) else ""


def silence(cause: str) -> Rating:
    """Return the rating of a reply without text: an observed failure, but for a shape that nobody could read.

    ``cause``: why there is no text, as :mod:`holdfast.agents.message_content` says it; kept as evidence.
    """
    if cause.startswith("an unknown shape"):
        return Rating(missing=f"{NO_ANSWER}{cause}")
    failure: Failure = "refusal" if cause.startswith("a refusal") else "empty"
    return disqualified(Rating(), failure, f"{NO_ANSWER}{cause or 'an empty message'}")


def why_silent(rating: Rating) -> str:
    """Return the cause that :func:`silence` was given; "" where the rating says of none."""
    said = rating.missing or rating.evidence
    return said.removeprefix(NO_ANSWER) if said.startswith(NO_ANSWER) else ""


def ungated(rater: Rater) -> Rater:
    """Return the rater behind the gate, or the rater itself."""
    return rater.rater if isinstance(rater, GatedRater) else rater


def disqualified(rating: Rating, failure: Failure, evidence: str) -> Rating:
    """Return the rating of a reply that is a failure: known, so nothing of it is missing."""
    return replace(rating, disqualified=failure, missing=None, evidence=evidence)
