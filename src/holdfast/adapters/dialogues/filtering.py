"""What makes a steered reply fit to learn from, and how much of a dialogue is left when one does not.

A filter by a rater after steering follows the synthetic pipeline of Shayegani et al. (2025, arXiv 2511.03143); the
checks of naming are holdfast's, because a reply that answers the wrong feeling is no empathy.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from holdfast.adapters.dialogues.split import kept_from_training
from holdfast.agents.naming import names
from holdfast.agents.raters.adherence import adherence_of
from holdfast.agents.raters.gate.reading import ReplyText, words_of
from holdfast.agents.raters.gate.repetition import copy_of_reply_before
from holdfast.agents.raters.protocol import EXPRESSED, Rating
from holdfast.agents.sentence_frames import blanked, blanked_frames
from holdfast.agents.users.protocol import Intention
from holdfast.personas.schema import MechanismLevels

Flaw = Literal[
    "empty",
    "unfinished",
    "unrated",
    "disqualified",
    "low_adherence",
    "says_again",
    "names_nothing_said",
    "names_another_feeling",
    "names_another_topic",
    "held_out_frame",
]


SAID_AGAIN = 0.5  # of a reply's words, in sentences that were said before: holdfast's assumption


@dataclass(frozen=True, slots=True)
class Standard:
    """What a reply is held to. ``feelings`` and ``topics`` are all that a reply could wrongly name.

    ``own_words``: its writer has words of its own, not the embedded model's few sentences. So it may not say an earlier
    reply of its dialogue again, nor an example; it must name what was said under every pattern, and may do so by the
    last word ("your grant").

    ``held_out_share`` of sentence frames, by ``split_seed``, are kept out of training.
    """

    target: MechanismLevels
    min_adherence: float = 0.7
    feelings: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    own_words: bool = True
    held_out_share: float = 0.0
    split_seed: int = 0


@dataclass(frozen=True, slots=True)
class KeptCounts:
    """What was kept and what was dropped, and why. Plain counts, ready for JSON."""

    dialogues: Mapping[str, int] = field(default_factory=dict)  # held, kept, of which cut; dropped, of which failed
    turns: Mapping[str, int] = field(default_factory=dict)  # held, kept
    flaws: Mapping[str, int] = field(default_factory=dict)  # of the turn that ended a dialogue's usable part
    drawn: Mapping[str, int] = field(default_factory=dict)  # replies, and tokens of their prompts and of themselves


def flaws(
    said: Intention,
    reply: str,
    rating: Rating,
    standard: Standard,
    *,
    finished: bool = True,
    again: bool = False,
) -> tuple[Flaw, ...]:
    """Everything wrong with a reply, in a fixed order; empty where it may be learned from.

    ``finished``: it ends at a sentence; ``again``: it says an earlier reply again (:func:`says_again`).

    A reply names something where it holds the feeling, the topic or the need of *this* message. Nothing has to be
    named where the message has none of them (a plain "thanks"), or where the pattern asks for no empathy at all and the
    writer is the embedded model. Of others the emptiest reply would adhere best to such a pattern.
    """
    if not reply.strip():
        return ("empty" if finished else "unfinished",)
    said_phrases = [phrase for phrase in (said.topic, said.need, said.feeling) if phrase]
    empathic = any(level > 0 for level in standard.target.as_array())
    asked = bool(said_phrases) and (empathic or standard.own_words)
    rest = blanked(reply, said_phrases)
    near = float(adherence_of([rating], standard.target.as_array(), EXPRESSED)[0])
    wrong: tuple[tuple[Flaw, bool], ...] = (
        ("unfinished", not finished),
        ("unrated", rating.missing is not None),
        ("disqualified", rating.disqualified is not None),
        ("low_adherence", near < standard.min_adherence),
        ("says_again", again),
        ("names_nothing_said", asked and not any(_takes_up(phrase, reply, standard) for phrase in said_phrases)),
        ("names_another_feeling", _names_any(rest, standard.feelings)),
        ("names_another_topic", _names_any(rest, standard.topics)),
        ("held_out_frame", _has_held_out_frame(rest, standard)),
    )
    return tuple(flaw for flaw, present in wrong if present)


def says_again(reply: str, user: str, earlier: Iterable[str]) -> bool:
    """Return whether a reply repeats itself or one of the ``earlier`` replies: at least half of its words stand in
    sentences that were said before, or by the gate's rule most of them do and none answers the ``user`` anew."""
    replies = list(earlier)
    said = {sentence for before in replies for sentence in _sentences(before)}
    total = repeated = 0
    for sentence in _sentences(reply):
        total += len(sentence)
        repeated += len(sentence) * (sentence in said)
        said.add(sentence)
    if total and repeated >= SAID_AGAIN * total:
        return True
    return any(copy_of_reply_before(ReplyText(reply, user, before)) for before in replies)


def _sentences(text: str) -> list[tuple[str, ...]]:
    """Return the words of each sentence."""
    return [words for sentence in ReplyText(text).sentences if (words := tuple(words_of(sentence)))]


def usable_turns(flaws_by_turn: Sequence[Collection[Flaw]]) -> int:
    """Count the turns from the start without a flaw: what comes after a bad turn answers a spoiled context."""
    return next((index for index, flaws in enumerate(flaws_by_turn) if flaws), len(flaws_by_turn))


def count_kept(
    dialogues: Sequence[Sequence[Collection[Flaw]]],
    min_turns: int,
    failed: int = 0,
    drawn: Mapping[str, int] | None = None,
) -> KeptCounts:
    """Count dialogues given as the flaws of their turns; ``failed`` of them ended in an error of the model."""
    usable = [usable_turns(turns) for turns in dialogues]
    kept = [n for n in usable if n >= min_turns]
    reasons = Counter(
        flaw for turns, n in zip(dialogues, usable, strict=True) for flaw in (turns[n] if n < len(turns) else ())
    )
    whole = sum(n >= min_turns and n == len(turns) for turns, n in zip(dialogues, usable, strict=True))
    return KeptCounts(
        dialogues={
            "held": len(usable),
            "kept": len(kept),
            "cut": len(kept) - whole,
            "dropped": len(usable) - len(kept),
            "failed": failed,
        },
        turns={"held": sum(map(len, dialogues)), "kept": sum(kept)},
        flaws=dict(sorted(reasons.items())),
        drawn=dict(drawn or {}),
    )


def _takes_up(phrase: str, reply: str, standard: Standard) -> bool:
    """Return whether a reply names what was said; by its last word too, ending aside, where it has words of its own."""
    if names(phrase, reply) or not standard.own_words:
        return names(phrase, reply)
    last = phrase.rsplit(maxsplit=1)[-1]
    stem = last[:-1] if len(last) > 5 else last
    return re.search(rf"\b{re.escape(stem)}", reply, re.IGNORECASE) is not None


def _has_held_out_frame(rest: str, standard: Standard) -> bool:
    frames = map(" ".join, blanked_frames(rest)) if standard.held_out_share else ()
    return any(kept_from_training("frame", frame, standard.split_seed, standard.held_out_share) for frame in frames)


def _names_any(text: str, phrases: Collection[str]) -> bool:
    return any(names(phrase, text) for phrase in phrases)
