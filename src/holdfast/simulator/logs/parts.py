"""Rated conversations as arrays, added to the sums of their groups."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.adherence import adherence
from holdfast.agents.raters.protocol import EXPRESSED, Scale
from holdfast.simulator.logs.falls import deepest, falls_of
from holdfast.simulator.logs.model import LEADING
from holdfast.simulator.logs.rating import witness_measures
from holdfast.simulator.logs.records import Conversation, End
from holdfast.simulator.logs.sums import LENGTH, GroupSums, PartialSums, add_part
from holdfast.simulator.logs.tallies import RatedConversation, Tallies
from holdfast.simulator.measure.arrays import Bools, Floats, present_mean

MOST_LABELS = 24  # names: of turns, and of conversations
PERCEIVED = "perceived"
BOUNDS = {"adherence_worst": 0.0, "adherence_best": 1.0}  # adherence, if every unrated reply adhered so

Targets = Callable[[Conversation], Sequence[float] | None]


def add_batch(
    tallies: Tallies,
    batch: list[RatedConversation],
    scale: Scale,
    rated: Floats,
    stopped: Bools,
    beside: Mapping[str, tuple[Scale, Floats]],
    target_of: Targets,
    keep: int,
) -> None:
    """Add a batch to ``tallies``. ``rated``, on ``scale``, and by witness ``beside``: (turns of the batch, dimensions);
    ``stopped``: (turns,) which replies are disqualified."""
    ends = np.cumsum([len(talk.turns.turns) for talk in batch])[:-1]
    levels = dict(zip(map(id, batch), np.split(rated, ends), strict=True))
    failed = dict(zip(map(id, batch), np.split(stopped, ends), strict=True))
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
        for witness, (on, values) in witnessed.items():
            more |= witness_measures(witness, on, [values[id(talk)] for talk in talks])
        part = _part(talks, scale, levels, failed, more, target_of, tallies)
        add_part(group, part)
        for measure in part.values.keys() & set(LEADING):
            own = [levels[id(talk)] for talk in talks]
            falls = falls_of(talks, part.values[measure], own, texts=keep > 0)
            tallies.falls[measure] = deepest([*tallies.falls.get(measure, ()), *falls])


def _part(
    talks: list[RatedConversation],
    scale: Scale,
    levels: Mapping[int, Floats],
    stopped: Mapping[int, Bools],
    more: Mapping[str, Floats],
    target_of: Targets,
    tallies: Tallies,
) -> PartialSums:
    """``levels``: the primary rater's; ``stopped``: which replies are disqualified, both by the ``id`` of a
    conversation; ``more``: measures of witnesses."""
    length = np.array([len(talk.turns.turns) for talk in talks], dtype=np.int64)
    shape = (len(talks), max(1, int(length.max())))
    rated = np.full((*shape, len(scale.dimensions)), np.nan)
    chars = np.full(shape, np.nan)
    failed = np.zeros(shape, dtype=np.bool_)
    target = np.full((len(talks), 1, len(scale.dimensions)), np.nan)
    for row, talk in enumerate(talks):
        rated[row, : length[row]], failed[row, : length[row]] = levels[id(talk)], stopped[id(talk)]
        chars[row, : length[row]] = [turn.chars for turn in talk.turns.turns]
        asked = target_of(talk.conversation)
        if asked is not None:
            target[row, 0] = asked
    values, before = _labels(talks, shape, tallies, scale)
    watched = ""
    if not np.isnan(rated).all():
        if scale.id == EXPRESSED.id:
            watched = "expressed"
            values["expressed"] = rated.mean(axis=-1)
        values |= {name: rated[:, :, index] for index, name in enumerate(scale.dimensions)}
    if not np.isnan(target).all():
        near = adherence(rated, target, scale.width, failed)
        asked = ~np.isnan(target).any(axis=-1)  # no pattern, no adherence
        near = np.where(asked, near, np.nan)
        unrated = asked & np.isnan(near) & (np.arange(shape[1]) < length[:, None])
        values |= {name: np.where(unrated, value, near) for name, value in BOUNDS.items()}
        if not np.isnan(near).all():
            watched = "adherence"
            values["adherence"] = near
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
    talks: list[RatedConversation], shape: tuple[int, int], tallies: Tallies, scale: Scale
) -> tuple[dict[str, Floats], Mapping[str, Floats]]:
    """Labels of turns, conversations x turns each, and of turn 0; with the mean of SENSE-7's dimensions."""
    values: dict[str, Floats] = {}
    before: dict[str, Floats] = {}
    for row, talk in enumerate(talks):
        for name, value in talk.turns.before.items():
            if _known(name, tallies, scale):
                before.setdefault(name, np.full(len(talks), np.nan))[row] = value
                values.setdefault(name, np.full(shape, np.nan))
        for column, turn in enumerate(talk.turns.turns):
            for name, value in turn.labels.items():
                if _known(name, tallies, scale):
                    values.setdefault(name, np.full(shape, np.nan))[row, column] = value
    rated = [values[name] for name in SENSE7 if name in values]
    if rated:
        values[PERCEIVED] = present_mean(np.stack(rated), axis=0)
    return values, before


def _known(name: str, tallies: Tallies, scale: Scale) -> bool:
    """Whether a label is among those measured: the first ``MOST_LABELS`` names, so that memory stays bounded."""
    if name not in tallies.label_names and len(tallies.label_names) < MOST_LABELS:
        tallies.label_names[name] = None
    return name in tallies.label_names and name not in (
        LENGTH,
        PERCEIVED,
        "expressed",
        "adherence",
        *BOUNDS,
        *scale.dimensions,
    )
