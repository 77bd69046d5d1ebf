"""A coder at work: the next reply in its context, blind; an answer, or the last one taken back.

The page and the terminal ask the same session. What is shown names no candidate and no rating, and the order is the
sample's random one, the same for all coders, so that two who stop early have labelled the same replies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean, quote
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.labelling.sample import Reply, SampledReply, draw_sample, stopped_replies
from holdfast.simulator.labelling.store import Label, LabelFolder, LabelSample, ScaleName, beside_targets
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.runtime.run_folder import read_run_file, recorded_raters

SHOWN_MESSAGES = 8  # before the reply
QUESTIONS: Mapping[str, str] = {
    "emotional_reaction": "Does the reply express warmth, compassion or concern of its own?",
    "interpretation": "Does the reply say that it understands what the user feels or lives through?",
    "exploration": "Does the reply ask about feelings or experiences that the user has not named?",
    "overall": "How empathic would this reply feel to the user?",
}
MEANINGS: Mapping[str, tuple[str, ...]] = {
    "emotional_reaction": ("no", "alludes to it: “it will be fine”", "names its feeling: “I am so sorry”"),
    "interpretation": ("no", "claims it: “I understand”", "says what: “that must be terrifying”"),
    "exploration": ("no", "in general: “what happened?”", "something specific: “do you feel alone now?”"),
    "overall": ("not at all", "a little", "somewhat", "much", "very much"),
}


@dataclass(frozen=True, slots=True)
class LabelQuestion:
    """A reply to label: ``messages`` are (role, text), oldest first, before ``reply``."""

    item: SampledReply
    messages: tuple[tuple[str, str], ...]
    reply: str
    left_out: int  # earlier messages that are not shown


@dataclass(slots=True)
class LabelSession:
    """One coder's session over the sample of ``folder``."""

    folder: LabelFolder
    sample: LabelSample
    coder: str
    model: bool = False  # a language model answers
    stopped: frozenset[Reply] = frozenset()  # by the gate; not asked about, though an older sample may hold them
    _given: list[Reply] = field(default_factory=list)  # in this session, for undo

    @property
    def answered(self) -> int:
        """How many replies of the sample this coder has labelled."""
        answers = self.folder.answers(self.coder)
        return sum(each.reply in answers for each in self.asked)

    @property
    def asked(self) -> tuple[SampledReply, ...]:
        """What is asked about: the sample without what the gate stopped."""
        return tuple(each for each in self.sample.replies if each.reply not in self.stopped)

    @property
    def apart(self) -> str:
        """Why these labels say nothing of adherence in this run; "" where they do."""
        with Journal.read(self.folder.run / JOURNAL) as journal:
            run = read_run_file(self.folder.run, journal.meta())
        return beside_targets(self.sample.rated, recorded_raters(run["provenance"])[0].scale)

    def next(self) -> LabelQuestion | None:
        """Return the first reply that this coder has not labelled; None where all are.

        Raises:
            InputError, JournalError: The labels or the journal are damaged.
        """
        answers = self.folder.answers(self.coder)
        waiting = (each for each in self.asked if each.reply not in answers)
        item = next(waiting, None)
        return None if item is None else self._question(item)

    def answer(self, reply: Reply, levels: Mapping[str, int]) -> None:
        """Keep an answer.

        Raises:
            InputError: The reply is none of the sample, a level is off the scale, or it cannot be written.
        """
        if reply not in {each.reply for each in self.asked}:
            raise InputError("that reply is not asked about")
        if not levels:
            raise InputError(f"levels of {', '.join(self.sample.rated.dimensions)} are needed")
        label = Label(episode=reply[0], turn=reply[1], levels=dict(levels), model=self.model)
        self.folder.add(self.coder, label)
        self._given.append(reply)

    def undo(self) -> bool:
        """Take the last answer back, of an earlier session too; False where there is none."""
        answers = self.folder.answers(self.coder)
        reply = self._given.pop() if self._given else next(reversed(answers), None)
        if reply is None:
            return False
        self.folder.add(self.coder, Label(episode=reply[0], turn=reply[1], levels={}, model=self.model))
        return True

    def _question(self, item: SampledReply) -> LabelQuestion:
        with Journal.read(self.folder.run / JOURNAL) as journal:
            turns = [turn for turn in journal.turns(item.episode) if turn.turn <= item.turn]
        if not turns or turns[-1].turn != item.turn:
            raise InputError(
                f"{self.folder.folder}: asks about turn {item.turn} of {item.episode}, which the journal does not hold"
            )
        said = [message for turn in turns for message in (("user", turn.user), ("assistant", turn.reply))][:-1]
        shown = said[-SHOWN_MESSAGES:]
        return LabelQuestion(item, tuple(shown), turns[-1].reply, len(said) - len(shown))


def open_session(
    run: Path,
    coder: str,
    *,
    count: int,
    scale: ScaleName,
    seed: int = 0,
    model: bool = False,
    candidates: Sequence[str] = (),
) -> LabelSession:
    """Open a coder's session, drawing the sample, or drawing more where ``count`` is more than was drawn.

    ``candidates``: ask about their replies only; of the others, figures rest on raters alone. None: all, or those that
    the sample was drawn of.

    Raises:
        InputError: No journal, another scale or other candidates than the sample's, or see :func:`draw_sample`.
    """
    folder = LabelFolder(run)
    folder.path_of(coder)
    sample = folder.sample()
    if sample is not None and sample.scale != scale:
        raise InputError(
            f"{folder.folder}: its labels are on the scale {sample.scale}; label a copy of the run instead"
        )
    if sample is not None and candidates and set(candidates) != set(sample.candidates):
        asked = ", ".join(sample.candidates) or "all candidates"
        raise InputError(f"{folder.folder}: its labels are of {asked}; label a copy of the run instead")
    with Journal.read(run / JOURNAL) as journal:
        episodes = list(journal.episodes(measured=True))
    if sample is None:
        chosen = tuple(dict.fromkeys(candidates))
        sample = LabelSample(scale=scale, seed=seed, replies=(), candidates=chosen)
    if len(sample.replies) < count:
        before = [each.reply for each in sample.replies]
        own = only_of(sample.candidates, episodes)
        drawn = draw_sample(own, count, sample.seed, gated=sample.gated, before=before)
        folder.keep_sample(sample := sample.model_copy(update={"replies": _in_order(sample.replies, drawn)}))
    stopped = stopped_replies(episodes) if sample.gated else frozenset()
    return LabelSession(folder, sample, coder, model, stopped)


def only_of(candidates: Sequence[str], episodes: Iterable[EpisodeRecord]) -> list[EpisodeRecord]:
    """Return the conversations of ``candidates``, of all where none is named.

    Raises:
        InputError: one of them held no conversation.
    """
    episodes = list(episodes)
    known = {episode.spec.candidate for episode in episodes}
    for name in candidates:
        if name not in known:
            allowed = ", ".join(sorted(known))
            raise InputError(
                f"no candidate {quote(name)} in this run{did_you_mean(name, known)} (candidates: {allowed})"
            )
    return [episode for episode in episodes if not candidates or episode.spec.candidate in candidates]


def _in_order(before: tuple[SampledReply, ...], drawn: list[SampledReply]) -> tuple[SampledReply, ...]:
    """The replies of ``drawn`` with their new chances, those that were asked about before first."""
    by_reply = {each.reply: each for each in drawn}
    first = [by_reply.pop(each.reply) for each in before if each.reply in by_reply]
    return (*first, *by_reply.values())
