"""Conversations -> tallies: batches of turns, rated, turned into arrays, added up, and forgotten."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from holdfast.agents.raters.gate.language import UNKNOWN_LANGUAGE
from holdfast.agents.raters.gate.rater import GatedRater, ungated
from holdfast.agents.raters.linear.legibility import NO_TEXT, NO_WORDS, OTHER_SCRIPT, OTHER_WORDS
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import Passage, Rater, Scale
from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.parts import Targets, add_batch
from holdfast.simulator.logs.rating import Exchange, RatedTexts, rate_all, rate_passages
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.scores import ScoredBatch
from holdfast.simulator.logs.stored_scores import StoredScores
from holdfast.simulator.logs.tallies import FILE, OTHERS, Legible, RatedConversation, ScoresUsed, Tallies
from holdfast.simulator.logs.turns import passages_of, turns_of

BATCH_TURNS = 4096
BATCH_CELLS = 60_000  # conversations x longest: bounds the padding beside one long conversation
MOST_GROUPS = 24
EVERYTHING = "all"
MOST_FILES = 10  # of a group, that are remembered
FOREIGN = (NO_WORDS, OTHER_SCRIPT, OTHER_WORDS)
REFUSED, THOUGHTS = "no text: a refusal", "no text: thoughts only"  # causes that a log gives
MOST_COLUMN_NAMES = 2000  # remembered, to tell which there are

LINEAR: Mapping[str, Rater] = MappingProxyType({"linear": GatedRater(LinearRater())})
Raters = Mapping[str, Rater | StoredScores]
Progress = Callable[[int, int], None]  # conversations, turns so far
OnScores = Callable[[ScoredBatch], None]


def measure_all(
    conversations: Iterable[Conversation | SkippedLine],
    *,
    by: Sequence[str] = (),
    target_of: Targets = lambda _: None,
    raters: Raters = LINEAR,
    keep: int = 0,
    workers: int | None = None,
    on_scores: OnScores = lambda _batch: None,
    progress: Progress = lambda _conversations, _turns: None,
) -> Tallies:
    """Read, rate and add up. ``by``: columns to group by; ``target_of``: the pattern asked for, if any.

    ``raters``: the primary one first; ``keep``: how many conversations of each group to hold on
    to, texts and all; ``on_scores``: gets each batch with what all raters gave its replies.
    """
    tallies = Tallies()
    done = turns = 0
    (first, primary), *witnesses = raters.items()
    batches = _batches(_talks(conversations, by, tallies))
    with asyncio.Runner() as runner:
        for batch, as_rated in _rated(first, primary, batches, tallies, workers, runner):
            rated = _with_causes(batch, as_rated)
            _count(tallies, batch, rated)
            beside = {name: _by_witness(name, rater, batch, tallies, runner) for name, rater in witnesses}
            on_scores(ScoredBatch(batch, {first: (primary.scale, rated), **beside}))
            stopped = np.array([bool(failure) for failure in rated.failures], dtype=np.bool_)
            levels_beside = {name: (scale, texts.levels) for name, (scale, texts) in beside.items()}
            add_batch(tallies, batch, primary.scale, rated.levels, stopped, levels_beside, target_of, keep)
            done, turns = done + len(batch), turns + len(rated.levels)
            progress(done, turns)
    for name, rater in raters.items():
        if isinstance(rater, StoredScores):
            for skip in rater.left_over(tallies.scores_used.get(name, ScoresUsed())):
                tallies.skip(skip)
    return tallies


def _rated(
    name: str,
    rater: Rater | StoredScores,
    batches: Iterator[list[RatedConversation]],
    tallies: Tallies,
    workers: int | None,
    runner: asyncio.Runner,
) -> Iterator[tuple[list[RatedConversation], RatedTexts]]:
    """Each batch with its replies rated; the shipped linear rater on all cores."""
    if not isinstance(rater, StoredScores) and ungated(rater) == LinearRater():
        yield from rate_all(batches, _turns, workers)
    else:
        yield from ((batch, _ratings(name, rater, batch, tallies, runner)) for batch in batches)


def _ratings(
    name: str, rater: Rater | StoredScores, batch: list[RatedConversation], tallies: Tallies, runner: asyncio.Runner
) -> RatedTexts:
    """The replies' ratings, given now or looked up."""
    if isinstance(rater, StoredScores):
        return rater.look_up(batch, tallies.scores_used.setdefault(name, ScoresUsed()))
    return rate_passages(rater, _passages(batch), runner)


def _by_witness(
    name: str, rater: Rater | StoredScores, batch: list[RatedConversation], tallies: Tallies, runner: asyncio.Runner
) -> tuple[Scale, RatedTexts]:
    rated = _with_causes(batch, _ratings(name, rater, batch, tallies, runner))
    tallies.unrated_by.setdefault(name, Counter()).update(filter(None, rated.reasons))
    return rater.scale, rated


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
        tallies.namesakes.add(conversation)
        tallies.grouped_by.update(column for column in by if _value(conversation, column))
        turns = turns_of(conversation.messages)
        tallies.openings += turns.openings
        if not turns.turns and not turns.before:
            tallies.without_turns += 1
            tallies.skip(SkippedLine(conversation.place, "conversation", "no reply to a user's message"))
            continue
        group = "/".join(_value(conversation, column) or "unknown" for column in by) or EVERYTHING
        if group not in groups and len(groups) >= MOST_GROUPS:
            group = OTHERS
        groups.add(group)
        files = tallies.files.setdefault(group, {})
        if len(files) < MOST_FILES:
            files[conversation.source] = None
        yield RatedConversation(conversation, group, turns)


def _value(conversation: Conversation, column: str) -> str:
    """Return the value by which a conversation is grouped: of a column, or the file that it came from."""
    return conversation.columns.get(column, conversation.source if column == FILE else "")


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


def _turns(batch: list[RatedConversation]) -> list[list[Exchange]]:
    return [[(turn.user, turn.reply) for turn in talk.turns.turns] for talk in batch]


def _with_causes(batch: list[RatedConversation], rated: RatedTexts) -> RatedTexts:
    """Say of replies without text why there is none, as far as the log does: then nobody knows what was said, but for
    a refusal, and for thoughts without a word."""
    causes = [turn.missing for talk in batch for turn in talk.turns.turns]
    reasons, failures = list(rated.reasons), list(rated.failures)
    for place, cause in enumerate(causes):
        if failures[place] == "empty" and cause.startswith(REFUSED):
            failures[place] = "refusal"
        elif failures[place] == "empty" and cause and not cause.startswith((NO_TEXT, THOUGHTS)):
            failures[place], reasons[place] = None, cause
    return replace(rated, reasons=tuple(reasons), failures=tuple(failures))


def _count(tallies: Tallies, batch: list[RatedConversation], rated: RatedTexts) -> None:
    tallies.unrated.update(filter(None, rated.reasons))
    tallies.disqualified.update(filter(None, rated.failures))
    tallies.rated += sum(not (reason or failure) for reason, failure in zip(rated.reasons, rated.failures, strict=True))
    at = 0
    for talk in batch:
        part = slice(at, at := at + len(talk.turns.turns))
        group = tallies.legible.setdefault(talk.group, Legible())
        group.replies += sum(bool(turn.reply.strip()) for turn in talk.turns.turns)
        group.foreign += sum(_foreign(reason) for reason in rated.reasons[part])
        group.unrated += sum(map(bool, rated.reasons[part]))
        group.failed.update(filter(None, rated.failures[part]))
        group.words += int(rated.words[part].sum())
        group.known += int(rated.known[part].sum())
        tallies.thoughts += sum(turn.thoughts for turn in talk.turns.turns)


def _foreign(reason: str) -> bool:
    return reason in FOREIGN or reason.startswith(UNKNOWN_LANGUAGE)
