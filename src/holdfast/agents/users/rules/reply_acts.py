"""What a reply does, read by rules on words: what it asks, what it advises, and how much of it was said before."""

from dataclasses import dataclass

from holdfast.agents.users.reply_cues import gives_steps, sentence_digests, sentences_of


@dataclass(frozen=True, slots=True)
class ReplyActs:
    """The acts of one reply. ``said_again``: share, 0-1, of its sentences that stood in the reply before."""

    questions: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    said_again: float = 0.0


def acts_of(reply: str, before: str = "") -> ReplyActs:
    """Return the acts of ``reply``, which followed the reply ``before``."""
    sentences = sentences_of(reply)
    digests, earlier = sentence_digests(reply), frozenset(sentence_digests(before))
    return ReplyActs(
        tuple(sentence for sentence in sentences if sentence.endswith("?")),
        tuple(sentence for sentence in sentences if gives_steps(sentence)),
        sum(digest in earlier for digest in digests) / len(digests) if digests else 0.0,
    )
