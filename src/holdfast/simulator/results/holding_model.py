"""What a results file says about whether a candidate holds."""

from pydantic import Field

from holdfast.simulator.measure.decay.equivalence import Verdict
from holdfast.simulator.results.estimates import (
    Count,
    Curve,
    Estimate,
    IncidencePoint,
    MeanEstimate,
    Number,
    ResultsPart,
    Share,
    SurvivalPoint,
)


class EquivalenceResults(ResultsPart):
    """Two one-sided tests of the change of adherence from the first to the last quarter, within a conversation."""

    change: Number = Field(description="Mean over conversations.")
    lo: Number = Field(description="Limit of the bootstrap clustered by persona, at `level`.")
    hi: Number
    t_lo: Number = Field(description="Limit of Student's t on persona means, at `level`.")
    t_hi: Number
    p_t: Share = Field(description="The larger of the two one-sided p on persona means.")
    margin: float = Field(gt=0, description="Changes within -margin and +margin count as holding; an assumption.")
    n: Count = Field(description="Conversations with both quarters.")
    personas: Count
    verdict: Verdict = Field(
        description="holds: both limits within the margin; falls, rises: the bootstrap's limits lie beyond it "
        "altogether; undecided: neither is shown; undefined: see note."
    )
    note: str = Field(description="Why there is no verdict, or how many conversations it leaves out; or empty.")
    level: float = Field(description="Of the limits: 0.9 answers two one-sided tests at 5 %.")

    @property
    def estimate(self) -> Estimate:
        """The change with the limits of the bootstrap."""
        return Estimate(mean=self.change, lo=self.lo, hi=self.hi)


class MixedSlopeResults(Estimate):
    """Slope of a linear mixed model (REML, random level and slope per conversation), per turn.

    95 % limits from a sandwich over personas with t(personas - 1).
    """

    n: Count = Field(description="Conversations.")
    turns: Count = Field(description="Values used.")
    covariate: Number = Field(description="Adherence per word of the reply; null where length is not in the model.")
    sd_level: Number = Field(description="Spread of the conversations' levels at the mean turn.")
    sd_slope: Number = Field(description="Spread of their slopes.")
    sd_turn: Number = Field(description="Spread of what is left from turn to turn.")
    note: str = Field(description="Why figures are null, or a caution; or empty.")


class MixedSlopes(ResultsPart):
    """With and without the closing turns, with and without reply length beside the turn."""

    closing_turns: Count = Field(description="How many turns at each conversation's end are left out.")
    all_turns: MixedSlopeResults
    all_turns_beside_length: MixedSlopeResults
    without_closing: MixedSlopeResults
    without_closing_beside_length: MixedSlopeResults


class ExponentialResults(ResultsPart):
    """The exponential fall to a floor with profile-likelihood limits, adjusted for personas."""

    half_life: Estimate = Field(description="Turns.")
    floor: Estimate = Field(description="Adherence.")
    note: str


class ChangePointResults(ResultsPart):
    """One change of level of the mean curve within conversations."""

    turn: Number = Field(description="First turn of the new level; null: see note.")
    lo: Number
    hi: Number
    before: Number
    after: Number
    p: Share = Field(description="Of a level curve, by flipping the sign of whole personas' deviations.")
    note: str

    @property
    def estimate(self) -> Estimate:
        """The turn with its limits."""
        return Estimate(mean=self.turn, lo=self.lo, hi=self.hi)


class LeavingResults(ResultsPart):
    """Survival of the pattern with users who leave told apart: their leaving is informative censoring."""

    n: Count
    broken: Count = Field(description="Conversations with a lasting violation.")
    left: Count = Field(description="Left by their user before any.")
    dropped: Count = Field(description="Too short to judge.")
    survival_leaving_as_censoring: list[SurvivalPoint] = Field(
        description="As if those who left would have fared as those who stayed."
    )
    survival_leaving_as_event: list[SurvivalPoint] = Field(
        description="As if all who left would have broken right there."
    )
    incidence_broken: list[IncidencePoint]
    incidence_left: list[IncidencePoint]


class RepetitionResults(ResultsPart):
    """How much a candidate repeats itself: by turn, and as the mean over conversations of their means over turns."""

    same_tactics: MeanEstimate = Field(
        description="Share of turns whose reply shows exactly the mechanisms of the turn before (0.5 counts as shown)."
    )
    same_tactics_by_turn: Curve = Field(description="From turn 2.")
    template_share: MeanEstimate = Field(
        description="Share of replies that hold one of this candidate's ten most frequent runs of five words, the "
        "user's words and numbers masked, each found in at least two conversations."
    )
    template_share_by_turn: Curve
    self_similarity: MeanEstimate = Field(
        description="Mean Jaccard likeness of a reply's word pairs to those of each earlier reply, 0-1."
    )
    self_similarity_by_turn: Curve = Field(description="From turn 2.")
    same_tactics_chance: MeanEstimate = Field(
        description="What same_tactics would be if each conversation's turns stood in random order."
    )
    reused: dict[str, MeanEstimate] = Field(
        description="Per mechanism: of the turns that show it, the share after which the next shows it again."
    )
    templates: list[Count] = Field(description="In how many replies each template occurs, most frequent first.")
    distinct_2: MeanEstimate = Field(
        description="Different word pairs / word pairs expected for the length (expectation-adjusted); may exceed 1."
    )
    notes: dict[str, str] = Field(description="Why a figure is null, by its name.")


class HoldingResults(ResultsPart):
    """Does it hold? Every part says why it is undefined."""

    equivalence: EquivalenceResults
    mixed_slope: MixedSlopes
    reply_words_by_turn: Curve = Field(description="Words of a reply.")
    exponential: ExponentialResults
    change_point: ChangePointResults
    leaving: LeavingResults
    repetition: RepetitionResults
