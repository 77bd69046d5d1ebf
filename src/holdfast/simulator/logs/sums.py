"""Sums per group and speaker, in arrays of bounded size, from which all results are computed.

A group keeps, for each measure (a mechanism, adherence, a label, the reply's length), sums by turn and of statistics of
whole conversations, a row for each of at most ``MOST_CLUSTERS`` speakers; more speakers share rows.
"""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdfast.simulator.logs.records import End
from holdfast.simulator.measure.arrays import Floats, Ints, present_mean
from holdfast.simulator.measure.decay.retention import first_turns, quarter_means
from holdfast.simulator.measure.decay.survival import first_violations
from holdfast.simulator.measure.sums import ClusterSums, pair_moments, within_moments

MOST_CLUSTERS = 512
CURVE_TURNS = 400  # turns of a curve; later ones count in means, quarters and slopes
SCALARS = ("mean", "first_two_turns", "first_quarter", "last_quarter")
LENGTH = "reply_chars"


class GrowingArray:
    """Sums and counts in rows and columns, enlarged as needed."""

    def __init__(self, columns: int = 1) -> None:
        self._totals, self._counts = np.zeros((1, columns)), np.zeros((1, columns))

    def add(self, rows: Ints, values: Floats) -> None:
        """Add ``values`` (n x columns, nan where missing) to ``rows`` (n)."""
        if not len(rows):
            return
        shape = (int(rows.max()) + 1, values.shape[1])
        self._totals, self._counts = (_enlarged(old, shape) for old in (self._totals, self._counts))
        there = ~np.isnan(values)
        np.add.at(self._totals[:, : shape[1]], rows, np.where(there, values, 0.0))
        np.add.at(self._counts[:, : shape[1]], rows, there.astype(np.float64))

    def sums(self, rows: int) -> ClusterSums:
        """Return the sums, with exactly ``rows`` rows."""
        shape = (rows, self._totals.shape[1])
        return ClusterSums(_enlarged(self._totals, shape)[:rows], _enlarged(self._counts, shape)[:rows])


def _enlarged(old: Floats, shape: tuple[int, int]) -> Floats:
    """Return the array, or a larger copy with at least ``shape``; rows double, to amortise the copying."""
    if old.shape[0] >= shape[0] and old.shape[1] >= shape[1]:
        return old
    rows = old.shape[0] if old.shape[0] >= shape[0] else min(MOST_CLUSTERS, max(shape[0], 2 * old.shape[0]))
    new = np.zeros((max(rows, shape[0]), max(old.shape[1], shape[1])))
    new[: old.shape[0], : old.shape[1]] = old
    return new


class Clusters:
    """Maps speakers to rows. A conversation without a speaker is a cluster of its own."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._unknown = 0
        self.shared = False  # whether rows hold several clusters

    def row(self, speaker: str) -> int:
        if not speaker:
            self._unknown += 1
            speaker = f"\x00{self._unknown}"
        if speaker in self._rows:
            return self._rows[speaker]
        if len(self._rows) < MOST_CLUSTERS:
            self._rows[speaker] = len(self._rows)
            return self._rows[speaker]
        self.shared = True
        return zlib.crc32(speaker.encode("utf-8", "replace")) % MOST_CLUSTERS

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each row, that of a conversation without a speaker made up."""
        return tuple(self._rows)

    @property
    def unnamed(self) -> int:
        """Conversations without a speaker."""
        return self._unknown

    def is_person(self, name: str) -> bool:
        """Whether a row is one person, to be known by this name in other groups too."""
        return not self.shared and not name.startswith("\x00")


def count_people(groups: Sequence[Clusters]) -> int | None:
    """Return how many people the groups have together, who may be in several; None where rows hold several people."""
    if any(clusters.shared for clusters in groups):
        return None
    named = {name for clusters in groups for name in clusters.names if clusters.is_person(name)}
    return len(named) + sum(clusters.unnamed for clusters in groups)


class MeasureSums:
    """The sums of one measure in one group."""

    def __init__(self) -> None:
        self.by_turn, self.scalars = GrowingArray(), GrowingArray(len(SCALARS))  # column 0 of by_turn is turn 0
        self.with_length, self.within, self.given_length = GrowingArray(6), GrowingArray(6), GrowingArray(6)

    def add(self, rows: Ints, values: Floats, before: Floats, length: Floats, planned: Ints) -> None:
        """Add ``values`` and ``length`` (conversations x turns), ``before`` (turn 0) and ``planned`` turns."""
        self.by_turn.add(rows, np.concatenate([before[:, None], values[:, :CURVE_TURNS]], axis=1))
        first, last = quarter_means(values, planned)
        whole = (present_mean(values, axis=1), first_turns(values), first, last)
        self.scalars.add(rows, np.stack(whole, axis=1))
        turn = np.broadcast_to(np.arange(1.0, values.shape[1] + 1), values.shape)
        size = np.log1p(length)
        self.with_length.add(rows, pair_moments(size, values))
        self.within.add(rows, within_moments(turn, np.zeros_like(size), values))
        self.given_length.add(rows, within_moments(turn, size, values))


@dataclass
class GroupSums:
    """All sums of one group of conversations."""

    clusters: Clusters = field(default_factory=Clusters)
    conversations: int = 0
    turns: int = 0
    longest: int = 0
    shortest: int = 0
    measures: dict[str, MeasureSums] = field(default_factory=dict)
    labels: dict[str, GrowingArray] = field(default_factory=dict)  # of whole conversations
    label_moments: dict[str, tuple[GrowingArray, GrowingArray]] = field(
        default_factory=dict
    )  # with expressed, with length
    violations: Counter[tuple[int, bool]] = field(default_factory=Counter)  # (turn, happened)
    ends: Counter[tuple[int, End]] = field(default_factory=Counter)  # (turns, how)


@dataclass(frozen=True, slots=True)
class PartialSums:
    """Some conversations of one group, as arrays. ``values``: measure -> conversations x turns, nan where missing."""

    speakers: tuple[str, ...]
    values: Mapping[str, Floats]  # LENGTH among them
    before: Mapping[str, Floats]  # measure -> conversations, of turn 0
    labels: Mapping[str, Floats]  # conversations, nan where missing
    planned: Ints  # turns that each would have had, or has
    length: Ints  # turns that each has
    ends: tuple[End, ...]
    violation_measure: str  # the measure whose first lasting violation is counted, "" for none


def add_part(group: GroupSums, part: PartialSums) -> None:
    """Add some conversations to their group's sums."""
    rows = np.array([group.clusters.row(speaker) for speaker in part.speakers], dtype=np.int64)
    shortest = int(part.length.min(initial=group.shortest if group.conversations else part.length.max(initial=0)))
    group.shortest = shortest
    group.conversations += len(rows)
    group.turns += int(part.length.sum())
    group.longest = max(group.longest, int(part.length.max(initial=0)))
    missing = np.full(len(rows), np.nan)
    for name, values in part.values.items():
        before = part.before.get(name, missing)
        group.measures.setdefault(name, MeasureSums()).add(rows, values, before, part.values[LENGTH], part.planned)
    expressed = present_mean(part.values["expressed"], axis=1) if "expressed" in part.values else missing
    size = np.log1p(np.where(np.isnan(part.values[LENGTH]).all(axis=1), np.nan, np.nansum(part.values[LENGTH], axis=1)))
    for name, label in part.labels.items():
        group.labels.setdefault(name, GrowingArray()).add(rows, label[:, None])
        with_expressed, with_size = group.label_moments.setdefault(name, (GrowingArray(6), GrowingArray(6)))
        with_expressed.add(rows, pair_moments(expressed[:, None], label[:, None]))
        with_size.add(rows, pair_moments(size[:, None], label[:, None]))
    if part.violation_measure:
        time, happened = first_violations(part.values[part.violation_measure])
        group.violations.update(zip(time.tolist(), happened.tolist(), strict=True))
    group.ends.update(zip(part.length.tolist(), part.ends, strict=True))
