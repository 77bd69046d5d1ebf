"""Conversations -> tallies: batches of turns, rated, turned into arrays, added up, and forgotten."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.adherence import adherence
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import EXPRESSED, Passage, Rater, Scale
from holdfast.personas.schema import MECHANISMS
from holdfast.simulator.logs.rating import RatedTexts, rate_all, rate_passages, witness_measures
from holdfast.simulator.logs.records import Conversation, End, SkippedLine
from holdfast.simulator.logs.sums import LENGTH, GroupSums, PartialSums, add_part
from holdfast.simulator.logs.turns import Turns, passages_of, turns_of
from holdfast.simulator.measure.arrays import Floats, present_mean

BATCH_TURNS = 4096
BATCH_CELLS = 60_000  # conversations x longest: bounds the padding beside one long conversation
MOST_GROUPS = 24
MOST_LABELS = 24  # names: of turns, and of conversations
OTHERS = "(other groups)"
EVERYTHING = "all"
PERCEIVED = "perceived"
MOST_COLUMN_NAMES = 2000  # remembered, to tell which there are
KEPT_PLACES = 5

LINEAR: Mapping[str, Rater] = MappingProxyType({"linear": LinearRater()})
Targets = Callable[[Conversation], Sequence[float] | None]
Progress = Callable[[int, int], None]  # conversations, turns so far


@dataclass(frozen=True, slots=True)
class RatedConversation:
    """A conversation on its way through: read, cut into turns, not yet rated."""

    conversation: Conversation
    group: str
    turns: Turns


@dataclass
class Tallies:
    """Everything that one reading gave. ``kept``: some conversations with the primary rater's levels, to show.

    ``unrated``: why replies have no rating by the primary rater; ``unrated_by``: the same of each witness.
    """

    groups: dict[str, GroupSums] = field(default_factory=dict)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, reason)
    places: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    unrated: Counter[str] = field(default_factory=Counter)
    unrated_by: dict[str, Counter[str]] = field(default_factory=dict)
    rated: int = 0
    openings: int = 0
    without_turns: int = 0
    words: int = 0
    known_words: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    grouped_by: set[str] = field(default_factory=set)  # the columns asked for that some conversation had
    label_names: dict[str, None] = field(default_factory=dict)
    kept: list[tuple[RatedConversation, Floats]] = field(default_factory=list)

    def skip(self, skip: SkippedLine) -> None:
        """Count something that could not be used, and remember the first places."""
        key = (skip.kind, skip.reason)
        self.skipped[key] += 1
        places = self.places.setdefault(key, [])
        if len(places) < KEPT_PLACES:
            places.append(str(skip))


def measure_all(
    conversations: Iterable[Conversation | SkippedLine],
    *,
    by: Sequence[str] = (),
    target_of: Targets = lambda _: None,
    raters: Mapping[str, Rater] = LINEAR,
    keep: int = 0,
    workers: int | None = None,
    progress: Progress = lambda _conversations, _turns: None,
) -> Tallies:
    """Read, rate and add up. ``by``: columns to group by; ``target_of``: the pattern asked for, if any.

    ``raters``: the primary one first, on the scale expressed; ``keep``: how many conversations of each group to hold on
    to, texts and all.
    """
    tallies = Tallies()
    done = turns = 0
    (_, primary), *witnesses = raters.items()
    batches = _batches(_talks(conversations, by, tallies))
    with asyncio.Runner() as runner:
        for batch, rated in _rated(primary, batches, workers, runner):
            _count(tallies, rated)
            beside = {name: _by_witness(name, rater, batch, tallies, runner) for name, rater in witnesses}
            _add(tallies, batch, rated.levels, beside, target_of, keep)
            done, turns = done + len(batch), turns + len(rated.levels)
            progress(done, turns)
    return tallies


def _rated(
    rater: Rater, batches: Iterator[list[RatedConversation]], workers: int | None, runner: asyncio.Runner
) -> Iterator[tuple[list[RatedConversation], RatedTexts]]:
    """Each batch with its replies rated; the shipped linear rater on all cores."""
    if rater == LinearRater():
        yield from rate_all(batches, _texts, workers)
    else:
        yield from ((batch, rate_passages(rater, _passages(batch), runner)) for batch in batches)


def _by_witness(
    name: str, rater: Rater, batch: list[RatedConversation], tallies: Tallies, runner: asyncio.Runner
) -> tuple[Scale, Floats]:
    rated = rate_passages(rater, _passages(batch), runner)
    tallies.unrated_by.setdefault(name, Counter()).update(filter(None, rated.reasons))
    return rater.scale, rated.levels


def _passages(batch: list[RatedConversation]) -> list[Passage]:
    return [passage for talk in batch for passage in passages_of(talk.turns)]


def _talks(
    conversations: Iterable[Conversation | SkippedLine], by: Sequence[str], tallies: Tallies
) -> Iterator[RatedConversation]:
    groups: set[str] = set()
    for conversation in conversations:
        if isinstance(conversation, SkippedLine):
            tallies.skip(conversation)
            continue
        if len(tallies.columns) < MOST_COLUMN_NAMES:
            tallies.columns.update(conversation.columns.keys())
        tallies.grouped_by.update(column for column in by if column in conversation.columns)
        turns = turns_of(conversation.messages)
        tallies.openings += turns.openings
        if not turns.turns and not turns.before:
            tallies.without_turns += 1
            tallies.skip(SkippedLine(conversation.place, "conversation", "no reply to a user's message"))
            continue
        group = "/".join(conversation.columns.get(column, "unknown") for column in by) or EVERYTHING
        if group not in groups and len(groups) >= MOST_GROUPS:
            group = OTHERS
        groups.add(group)
        yield RatedConversation(conversation, group, turns)


def _batches(talks: Iterable[RatedConversation]) -> Iterator[list[RatedConversation]]:
    batch: list[RatedConversation] = []
    turns = longest = 0
    for talk in talks:
        own = len(talk.turns.turns)
        longer = max(longest, own)
        if batch and (turns + own > BATCH_TURNS or longer * (len(batch) + 1) > BATCH_CELLS):
            yield batch
            batch, turns, longer = [], 0, own
        batch.append(talk)
        turns, longest = turns + own, longer
    if batch:
        yield batch


def _texts(batch: list[RatedConversation]) -> list[str]:
    return [turn.reply for talk in batch for turn in talk.turns.turns]


def _count(tallies: Tallies, rated: RatedTexts) -> None:
    tallies.unrated.update(filter(None, rated.reasons))
    tallies.rated += sum(not reason for reason in rated.reasons)
    tallies.words += rated.words
    tallies.known_words += rated.known


def _add(
    tallies: Tallies,
    batch: list[RatedConversation],
    rated: Floats,
    beside: Mapping[str, tuple[Scale, Floats]],
    target_of: Targets,
    keep: int,
) -> None:
    """``rated``, and by witness ``beside``: (turns of the batch, dimensions)."""
    ends = np.cumsum([len(talk.turns.turns) for talk in batch])[:-1]
    levels = dict(zip(map(id, batch), np.split(rated, ends), strict=True))
    witnessed = {
        name: (scale, dict(zip(map(id, batch), np.split(values, ends), strict=True)))
        for name, (scale, values) in beside.items()
    }
    by_group: dict[str, list[RatedConversation]] = {}
    for talk in batch:
        by_group.setdefault(talk.group, []).append(talk)
    for name, talks in by_group.items():
        group = tallies.groups.setdefault(name, GroupSums())
        room = max(0, keep - group.conversations)
        worded = [talk for talk in talks[:room] if any(turn.reply for turn in talk.turns.turns)]
        tallies.kept.extend((talk, levels[id(talk)]) for talk in worded)
        more: dict[str, Floats] = {}
        for witness, (scale, values) in witnessed.items():
            more |= witness_measures(witness, scale, [values[id(talk)] for talk in talks])
        add_part(group, _part(talks, [levels[id(talk)] for talk in talks], more, target_of, tallies))


def _part(
    talks: list[RatedConversation],
    levels: list[Floats],
    more: Mapping[str, Floats],
    target_of: Targets,
    tallies: Tallies,
) -> PartialSums:
    """``levels``: the primary rater's, by conversation; ``more``: measures of witnesses."""
    length = np.array([len(talk.turns.turns) for talk in talks], dtype=np.int64)
    shape = (len(talks), max(1, int(length.max())))
    expressed = np.full((*shape, len(MECHANISMS)), np.nan)
    chars = np.full(shape, np.nan)
    target = np.full((len(talks), 1, len(MECHANISMS)), np.nan)
    for row, (talk, own) in enumerate(zip(talks, levels, strict=True)):
        expressed[row, : length[row]] = own
        chars[row, : length[row]] = [turn.chars for turn in talk.turns.turns]
        asked = target_of(talk.conversation)
        if asked is not None:
            target[row, 0] = asked
    values, before = _labels(talks, shape, tallies)
    watched = ""
    if not np.isnan(expressed).all():
        watched = "expressed"
        values["expressed"] = expressed.mean(axis=-1)
        values |= {str(name): expressed[:, :, index] for index, name in enumerate(MECHANISMS)}
    if watched and not np.isnan(target).all():
        watched = "adherence"
        values["adherence"] = adherence(expressed, target, EXPRESSED.width)
    planned = [talk.conversation.planned or len(talk.turns.turns) for talk in talks]
    afterwards: dict[str, Floats] = {}
    for row, talk in enumerate(talks):
        for name, value in talk.conversation.labels.items():
            if name in afterwards or len(afterwards) < MOST_LABELS:
                afterwards.setdefault(name, np.full(len(talks), np.nan))[row] = value
    return PartialSums(
        speakers=tuple(talk.conversation.speaker for talk in talks),
        values={LENGTH: chars, **values, **more},
        before=before,
        labels=afterwards | _final_emotion(talks),
        planned=np.maximum(np.array(planned, dtype=np.int64), 1),
        length=length,
        ends=tuple(_end(talk) for talk in talks),
        violation_measure=watched,
    )


def _end(talk: RatedConversation) -> End:
    return talk.conversation.end


def _final_emotion(talks: list[RatedConversation]) -> dict[str, Floats]:
    """The last emotion of each conversation, clipped to its scale."""
    last_emotion = np.full(len(talks), np.nan)
    for row, talk in enumerate(talks):
        states = [talk.turns.before, *(turn.labels for turn in talk.turns.turns)]
        last = next((labels["emotion"] for labels in reversed(states) if "emotion" in labels), np.nan)
        last_emotion[row] = np.clip(last, 0.0, 100.0)
    return {} if np.isnan(last_emotion).all() else {"final_emotion": last_emotion}


def _labels(
    talks: list[RatedConversation], shape: tuple[int, int], tallies: Tallies
) -> tuple[dict[str, Floats], Mapping[str, Floats]]:
    """Labels of turns, conversations x turns each, and of turn 0; with the mean of SENSE-7's dimensions."""
    values: dict[str, Floats] = {}
    before: dict[str, Floats] = {}
    for row, talk in enumerate(talks):
        for name, value in talk.turns.before.items():
            if _known(name, tallies):
                before.setdefault(name, np.full(len(talks), np.nan))[row] = value
                values.setdefault(name, np.full(shape, np.nan))
        for column, turn in enumerate(talk.turns.turns):
            for name, value in turn.labels.items():
                if _known(name, tallies):
                    values.setdefault(name, np.full(shape, np.nan))[row, column] = value
    rated = [values[name] for name in SENSE7 if name in values]
    if rated:
        values[PERCEIVED] = present_mean(np.stack(rated), axis=0)
    return values, before


def _known(name: str, tallies: Tallies) -> bool:
    """Whether a label is among those measured: the first ``MOST_LABELS`` names, so that memory stays bounded."""
    if name not in tallies.label_names and len(tallies.label_names) < MOST_LABELS:
        tallies.label_names[name] = None
    return name in tallies.label_names and name not in (LENGTH, PERCEIVED, "expressed", "adherence", *MECHANISMS)
