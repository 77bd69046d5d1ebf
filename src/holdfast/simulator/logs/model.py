"""What ``holdfast measure`` says of conversations, as a typed model: its ``results.json``."""

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from pydantic import Field

from holdfast.simulator.logs.records import End
from holdfast.simulator.measure.decay.leaving import IncidencePoint
from holdfast.simulator.measure.decay.survival import SurvivalPoint
from holdfast.simulator.measure.estimates import Count, Curve, Estimate, MeanEstimate, Number, ResultsPart, Share
from holdfast.simulator.measure.group_difference import Design
from holdfast.simulator.results.model import RaterInfo


class MeasureResults(ResultsPart):
    """One measure of a group: a rating, a label of each turn, or the replies' length in characters."""

    by_turn: Curve
    mean: MeanEstimate
    first_two_turns: MeanEstimate
    first_quarter: MeanEstimate
    last_quarter: MeanEstimate
    retention: MeanEstimate = Field(description="Mean of the last quarter / mean of the first.")
    slope_per_turn: MeanEstimate = Field(
        description="Least squares within conversations of three turns or more, pooled: each about its own mean."
    )
    slope_given_length: MeanEstimate | None = Field(
        description="The same with the log of the reply's length held, where it is known; null for the length itself."
    )
    length_r: MeanEstimate | None = Field(description="Pearson's r with log length; null for the length itself.")


class LogBounds(ResultsPart):
    """Adherence, whatever the unrated replies are like."""

    worst: MeasureResults = Field(description="If every unrated reply adhered 0.")
    best: MeasureResults = Field(description="If every unrated reply adhered 1.")


class LabelResults(MeanEstimate):
    """A label of whole conversations, and how it goes together (Pearson's r) with expressed empathy and length."""

    expressed_r: MeanEstimate
    length_r: MeanEstimate


class ViolationResults(ResultsPart):
    """Until the first lasting violation of what a conversation began with."""

    survival: list[SurvivalPoint]
    median_turn: Number
    too_short: Count = Field(description="Conversations too short to judge.")


class ExitResults(ResultsPart):
    """Leaving in failure; success and the end that was planned are censored."""

    survival: list[SurvivalPoint]
    median_turn: Number
    incidence: dict[End, list[IncidencePoint]] = Field(description="Both ways of ending, as competing risks.")


class GroupResults(ResultsPart):
    """The conversations of one group."""

    n: Count = Field(description="Conversations.")
    turns: Count
    longest: Count = Field(description="Turns of the longest conversation.")
    shortest: Count
    clusters: Count = Field(description="Speakers, or sets of them, that intervals rest on: five at least.")
    clusters_shared: bool = Field(description="Whether several speakers share a cluster.")
    final_emotion: MeanEstimate | None = Field(description="0-100; null where the log has none.")
    successes: int | None = Field(description="null where the log says nothing of how conversations ended.")
    failures: int | None
    exits: ExitResults | None
    violations: ViolationResults | None
    measures: dict[str, MeasureResults]
    bounds: LogBounds | None = Field(default=None, description="null where no reply is unrated, or without a pattern.")
    labels: dict[str, LabelResults]


class SkipReason(ResultsPart):
    """What could not be used for one reason, with its first places."""

    kind: str
    reason: str
    n: Count
    first: list[str]


class SkippedResults(ResultsPart):
    """What could not be used, the most frequent reason first."""

    total: Count
    by_reason: list[SkipReason]


class LogFile(ResultsPart):
    """A file that was read."""

    name: str
    format: str


class LogPattern(ResultsPart):
    """The empathy pattern that adherence was asked for."""

    id: str
    title: str
    target: dict[str, float]


class LogWitness(ResultsPart):
    """A rater beside the primary one."""

    rater: RaterInfo
    unrated: dict[str, Count] = Field(description="Replies without a rating, by the reason.")


class ConversationFall(ResultsPart):
    """A conversation that falls, by its own least-squares line over its rated turns, of which it has three or more."""

    conversation: str = Field(description="Its id.")
    place: str = Field(description="Where it stands in the log.")
    group: str
    turns: Count
    rated: Count = Field(description="Replies with a value.")
    slope: Number = Field(description="Per turn.")
    fall: Number = Field(description="The line at the last rated turn minus at the first: below 0.")


#: The measures that tables and the page lead with: the first that there is.
LEADING = ("adherence", "expressed")


class _Measured(Protocol):
    @property
    def measures(self) -> Mapping[str, object]: ...


def leading_measure(groups: Iterable[_Measured]) -> str:
    """Return the measure that is led with: adherence, or expressed empathy; "" where no reply was rated."""
    measured = {name for group in groups for name in group.measures}
    return next((name for name in LEADING if name in measured), "")


ALPHA = 0.05


class LogDifference(Estimate):
    """a - b in one figure. Limits: a bootstrap of people; null where ``note`` says why nothing is tested."""

    a: str
    b: str
    figure: Literal["level", "slope"] = Field(
        description="level: mean over conversations of each one's mean; slope: the pooled slope_per_turn."
    )
    measure: str = Field(description="Of which measure: adherence or expressed.")
    p: Share = Field(description="Two-sided, by permuting people between the groups; studentised, clustered by person.")
    p_holm: Share = Field(description="p adjusted by Holm over all differences that are tested.")
    people_a: Count = Field(description="Speakers who have a value there.")
    people_b: Count
    people_both: Count = Field(description="Those who are in both groups.")
    design: Design = Field(description="Whether people are in one group (unpaired), in both, or partly in both.")
    note: str = Field("", description="Why nothing was tested; or empty.")

    @property
    def shown(self) -> bool:
        """Whether a difference is shown: the limits leave out 0, and so does the corrected test."""
        return self.excludes_zero and self.p_holm is not None and self.p_holm < ALPHA


class LogResults(ResultsPart):
    """What was measured in conversations that others had. null: undefined, or not in these data; see ``notes``."""

    schema_version: Literal[2] = 2
    kind: Literal["logs"] = "logs"
    holdfast_version: str = "unknown"
    files: list[LogFile]
    by: list[str] = Field(description="Columns that the groups are told apart by.")
    conversations: Count
    turns: Count
    people: int | None = Field(None, description="Speakers of all groups; null where there are too many to tell apart.")
    unnamed: Count = Field(0, description="Conversations without a speaker; each counts as a person of its own.")
    longest: Count
    rated_replies: Count
    unrated_replies: dict[str, Count] = Field(description="By the reason.")
    disqualified_replies: dict[str, Count] = Field(
        default={}, description="Replies that are observed failures, by failure; their adherence is 0."
    )
    replies_with_thoughts: Count = Field(0, description="Thoughts of a model are set apart, and never rated.")
    repeated_ids: Count = Field(0, description="Conversations with the id of an earlier one; they are kept apart.")
    openings: Count = Field(description="Messages of assistants before the user's first.")
    known_words: Share = Field(description="Share of the replies' words that the rater knows.")
    skipped: SkippedResults
    rater: RaterInfo = Field(description="The primary one.")
    scores_read: dict[str, str] = Field(
        {}, description="Raters that did not rate anew: the file that held their scores."
    )
    gate: str | None = Field(None, description="Version of the gate before the raters; null without one.")
    witnesses: dict[str, LogWitness] = Field(
        description="By name; a group's measures have theirs as `NAME: DIMENSION`, and the mean as `NAME: SCALE`."
    )
    pattern: LogPattern | None
    seed: int
    draws: Count
    groups: dict[str, GroupResults]
    differences: list[LogDifference] = Field(default=[], description="Every two of the ten largest groups.")
    falls: list[ConversationFall] = Field(
        default=[], description="The ten conversations that fall most in the leading measure, the deepest first."
    )
    notes: list[str]

    @property
    def main_measure(self) -> str:
        """The measure that tables and the page lead with; "" where no reply was rated."""
        return leading_measure(self.groups.values())
