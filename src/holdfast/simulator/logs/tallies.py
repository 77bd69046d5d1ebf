"""Everything that one reading of logs adds up to, and the conversations on their way into it."""

from collections import Counter
from dataclasses import dataclass, field

from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.identity import Namesakes
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.sums import GroupSums
from holdfast.simulator.logs.turns import Turns
from holdfast.simulator.measure.arrays import Floats

OTHERS = "(other groups)"
FILE = "file"  # the column that every log has
KEPT_PLACES = 5


@dataclass(frozen=True, slots=True)
class RatedConversation:
    """A conversation on its way through: read, cut into turns, not yet rated."""

    conversation: Conversation
    group: str
    turns: Turns


@dataclass(frozen=True, slots=True)
class Fall:
    """A conversation that falls. ``fall``: its own line at the last rated turn minus at the first, below 0; ``slope``:
    of that line, per turn; ``talk``, ``levels`` (the primary rater's, turns x dimensions): None where texts are not
    kept."""

    conversation: str
    place: str
    group: str
    turns: int
    rated: int
    slope: float
    fall: float
    talk: RatedConversation | None
    levels: Floats | None


@dataclass
class Legible:
    """Of one group: replies with text, those in words that the linear rater does not know, words in all,
    unrated replies, and the disqualified ones by failure."""

    replies: int = 0
    foreign: int = 0
    words: int = 0
    known: int = 0
    unrated: int = 0
    failed: Counter[str] = field(default_factory=Counter)


@dataclass
class ScoresUsed:
    """What became of the scores in a file. ``seen``: conversation and turn of replies that have one; ``matched``: the
    same with the hash of the passage, of those that stand for a reply."""

    seen: set[tuple[str, int]] = field(default_factory=set)
    matched: set[tuple[str, int, str]] = field(default_factory=set)


@dataclass
class Tallies:
    """Everything that one reading gave. ``kept``: some conversations with the primary rater's levels, to show.

    ``unrated``: why replies have no rating by the primary rater; ``unrated_by``: the same of each witness;
    ``disqualified``: the failures of replies that adhere 0; ``legible``: of each group, what the linear rater could
    read. ``files``: of each group, where it comes from.
    """

    groups: dict[str, GroupSums] = field(default_factory=dict)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, reason)
    places: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    unrated: Counter[str] = field(default_factory=Counter)
    disqualified: Counter[str] = field(default_factory=Counter)
    unrated_by: dict[str, Counter[str]] = field(default_factory=dict)
    rated: int = 0
    openings: int = 0
    without_turns: int = 0
    thoughts: int = 0  # replies beside which the log holds thoughts
    legible: dict[str, Legible] = field(default_factory=dict)
    files: dict[str, dict[str, None]] = field(default_factory=dict)
    namesakes: Namesakes = field(default_factory=Namesakes)
    columns: Counter[str] = field(default_factory=Counter)
    grouped_by: set[str] = field(default_factory=set)  # the columns asked for that some conversation had
    label_names: dict[str, None] = field(default_factory=dict)
    scores_used: dict[str, ScoresUsed] = field(default_factory=dict)  # by a rater whose scores were read
    falls: dict[str, list[Fall]] = field(default_factory=dict)  # by measure, the deepest first
    kept: list[tuple[RatedConversation, Floats]] = field(default_factory=list)

    def skip(self, skip: SkippedLine) -> None:
        """Count something that could not be used, and remember the first places."""
        key = (skip.kind, skip.reason)
        self.skipped[key] += 1
        places = self.places.setdefault(key, [])
        if len(places) < KEPT_PLACES:
            places.append(str(skip))
