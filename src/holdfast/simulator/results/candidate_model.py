"""What a results file says about one candidate, about two before the same users, and about one simulator."""

from pydantic import Field

from holdfast.simulator.measure.decay.change_point import ChangePointResults
from holdfast.simulator.measure.decay.holds import HoldsResults
from holdfast.simulator.measure.decay.leaving import LeavingResults
from holdfast.simulator.measure.decay.mixed_slope import MixedSlopeResults
from holdfast.simulator.measure.decay.profile import ExponentialResults
from holdfast.simulator.measure.decay.shape import ShapeResults
from holdfast.simulator.measure.decay.survival import SurvivalPoint
from holdfast.simulator.measure.estimates import Count, Curve, MeanEstimate, Number, ResultsPart, Share
from holdfast.simulator.measure.goals import GoalServed


class NamingResults(MeanEstimate):
    """Share of turns in which the reply names the feeling or topic that the user just named, and no other feeling.

    Only in tasks whose pattern asks for empathy; n: turns that count.
    """

    feeling: MeanEstimate = Field(description="Of the turns in which the user named a feeling.")
    topic: MeanEstimate = Field(description="Of the turns in which the user named a topic.")


class TaskResults(ResultsPart):
    """A candidate's figures in one task context."""

    n: Count = Field(description="Episodes in this task.")
    desired: Number = Field(description="Mean desired empathy on the perceived scale, 1-5.")
    perceived: MeanEstimate = Field(
        description="Felt empathy, 1-5, by the study's feeler (the first of the results' felt): mean over an episode's "
        "turns."
    )
    gap: MeanEstimate = Field(description="Desired - perceived, signed; positive: less was felt than was wanted.")
    gap_abs: MeanEstimate = Field(description="Mean of the gaps' absolute values.")
    adherence: MeanEstimate = Field(description="Mean adherence over all turns.")


class WitnessResults(ResultsPart):
    """What a rater beside the primary one gave a candidate's replies."""

    levels: dict[str, MeanEstimate] = Field(description="Mean rating of each dimension, on the witness's scale.")
    levels_by_turn: dict[str, Curve]
    adherence: MeanEstimate = Field(description="null where its scale is not the primary rater's.")
    adherence_by_turn: Curve
    retention: MeanEstimate
    unrated: dict[str, Count] = Field(description="Replies without a rating, by reason.")
    disqualified: dict[str, Count] = Field(default={}, description="Replies that are observed failures, by failure.")


class GoalResults(ResultsPart):
    """Whether people got done what they came for."""

    served: MeanEstimate = Field(description="Share of a persona's goals served by the planned end; 0-1.")
    served_by_turn: Curve = Field(
        description="Share served up to each turn; a conversation that ended early keeps its share."
    )
    by_goal: list[GoalServed]


class MixedSlopes(ResultsPart):
    """With and without the closing turns, with and without reply length beside the turn."""

    closing_turns: Count = Field(description="How many turns at each conversation's end are left out.")
    all_turns: MixedSlopeResults
    all_turns_beside_length: MixedSlopeResults
    without_closing: MixedSlopeResults
    without_closing_beside_length: MixedSlopeResults


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

    holds: HoldsResults
    mixed_slope: MixedSlopes
    reply_words_by_turn: Curve = Field(description="Words of a reply.")
    exponential: ExponentialResults
    shape: ShapeResults
    change_point: ChangePointResults
    leaving: LeavingResults
    repetition: RepetitionResults


class CaseResults(ResultsPart):
    """A candidate's figures if all its unrated replies adhered 0, or if all adhered 1."""

    adherence: MeanEstimate
    adherence_by_turn: Curve
    adherence_last_quarter: MeanEstimate
    retention: MeanEstimate


class BoundsResults(ResultsPart):
    """What a candidate's figures could be, whatever its unrated replies are like."""

    worst: CaseResults = Field(description="If every unrated reply adhered 0.")
    best: CaseResults = Field(description="If every unrated reply adhered 1.")


class CandidateResults(ResultsPart):
    """One candidate. null: undefined, with the reason in ``notes``."""

    kind: str = Field(description="Its kind in the study: base, system_prompt, adapter, routed, ...")
    title: str = Field(description="What to call it in a sentence.")
    trained: bool = Field(description="Whether it speaks through trained adapters.")
    episodes: Count = Field(description="Conversations with this candidate, failed ones included.")
    failed: Count = Field(description="How many of them ended in an error; their finished turns are measured.")
    people: Count = Field(description="Personas that it met.")
    adherence: MeanEstimate = Field(
        description="Mean over all turns of 1 - mean over dimensions of |expressed - target| / scale's width; 0-1."
    )
    adherence_by_turn: Curve
    area: MeanEstimate = Field(
        description="Area under the whole curve per turn, 0-1: mean over turns of the mean at each turn, so that a "
        "turn counts the same however few reached it; limits are null where under five people reached some turn."
    )
    mechanism_by_turn: dict[str, Curve] = Field(description="Expressed level of each mechanism, on the rater's scale.")
    mechanism_error_by_turn: dict[str, Curve] = Field(description="|expressed - target| of each mechanism.")
    adherence_first_two_turns: MeanEstimate
    adherence_last_quarter: MeanEstimate = Field(
        description="Over the last max(1, turns // 4) planned turns; n: episodes that reached them."
    )
    retention: MeanEstimate = Field(
        description="Mean adherence of the last quarter / of the first; n: episodes that reached the last quarter."
    )
    slope_per_turn: MeanEstimate = Field(
        description="Least squares slope of adherence within an episode, averaged; per turn."
    )
    half_life_turns: Number = Field(
        description="Turns in which half of what will be lost is lost, from a + b exp(-t / tau), where a fall is "
        "shown; null: see half_life_note."
    )
    half_life_note: str = Field(description="What the fit found, or why there is no half-life.")
    first_violation_median_turn: Number = Field(
        description="First turn at which half of the episodes have begun a lasting violation: three turns in a row "
        "below 0.8 of the episode's own mean over its first two; null: it never comes so far."
    )
    survival: list[SurvivalPoint] = Field(description="Share of episodes without a lasting violation.")
    gap_abs: MeanEstimate = Field(description="Mean |desired - perceived| over episodes.")
    gap_reduction: MeanEstimate = Field(
        description="1 - mean |gap| / the baseline's mean |gap|, over the users that both met."
    )
    score_factor: MeanEstimate = Field(
        description="Mean adherence / the baseline's mean adherence, over the users that both met. Adherence as the "
        "score is holdfast's assumption: not to be set beside the paper's 2.43."
    )
    naming: NamingResults
    felt_by_dimension: dict[str, MeanEstimate] = Field(
        description="SENSE-7's dimensions, 1-5, by the formula; empty where the study's feeler is another, who gives "
        "one score and no dimension."
    )
    by_task: dict[str, TaskResults]
    holding: HoldingResults
    goals: GoalResults | None = Field(description="null where the journal does not say what a message was about.")
    unrated: dict[str, Count] = Field(description="Replies without a rating by the primary rater, by reason.")
    unrated_by_turn: dict[str, list[Count]] = Field(default={}, description="The same at each turn, turn 1 first.")
    disqualified: dict[str, Count] = Field(
        default={}, description="Replies that are observed failures, by failure; their adherence is 0."
    )
    disqualified_by_turn: dict[str, list[Count]] = Field(default={}, description="The same at each turn, turn 1 first.")
    bounds: BoundsResults | None = Field(default=None, description="null where no reply is unrated.")
    outcomes: dict[str, Count] = Field(
        default={}, description="Replies with text, by outcome: answered, cut (at max_tokens), filtered, ..."
    )
    silent: dict[str, Count] = Field(default={}, description="Replies without text, by cause; the user heard nothing.")
    thoughtful: Count = Field(default=0, description="Replies that came with thoughts, which nobody heard or rated.")
    kept: Count = Field(
        default=0,
        description="Replies with tool calls, or something kept, of an application: neither heard nor rated.",
    )
    prompt_lost: str = Field(
        default="", description="What says that the candidate's system prompt did not reach its model; empty: nothing."
    )
    witnesses: dict[str, WitnessResults] = Field(description="By the rater's name.")
    notes: dict[str, str] = Field(description="Why a figure is undefined, by the figure's name.")


class AgreementResults(ResultsPart):
    """How a witness goes together with the primary rater over all replies."""

    witness: str
    dimension: str = Field(description="One that both rate; mean: the mean over each rater's dimensions.")
    r: MeanEstimate = Field(description="Pearson's r, limits clustered by persona; n: replies that both rated.")


class SurvivalPairResults(ResultsPart):
    """Log-rank test of a pair: does the pattern break at different times?"""

    a: str
    b: str
    a_minus_expected: Number = Field(
        description="Violations of a beyond what the pooled curve expects; positive: a breaks sooner."
    )
    chi2: Number = Field(description="One degree of freedom, conversations taken as independent.")
    p: Share
    p_paired: Share = Field(description="Whole personas swap sides at random.")
    n: Count
    note: str
    p_holm: Share = Field(description="p_paired adjusted over all pairs.")
    p_bh: Share


class SimulatedCandidate(ResultsPart):
    """A candidate's figures with the users of one simulator."""

    episodes: Count
    adherence: MeanEstimate
    adherence_last_quarter: MeanEstimate
    perceived: MeanEstimate
    gap_abs: MeanEstimate
    retention: MeanEstimate
    holds: HoldsResults | None = Field(None, description="The study's test, on these conversations alone.")


class RealismResults(ResultsPart):
    """How the users talk, by counting words; means over conversations."""

    prompt_to_line: MeanEstimate = Field(description="Mean cosine (TF-IDF) of the persona's text and each message.")
    line_to_line: MeanEstimate = Field(description="Mean cosine of each message and all earlier ones together.")
    stickiness: MeanEstimate = Field(
        description="Share of messages whose act (question, thanks, feeling, statement) is that of the one before."
    )
    stickiness_by_chance: MeanEstimate = Field(description="The same if the messages stood in any order.")
    words: MeanEstimate = Field(description="Words per message.")
    agreeable: MeanEstimate = Field(description="Share of messages that agree or thank.")
    distinct: MeanEstimate = Field(description="Share of messages unlike every earlier one of the conversation.")


class PlayedCounts(ResultsPart):
    """How often a model that played users kept to its part: sums over the conversations."""

    messages: Count
    stand_in_messages: Count = Field(description="Messages that the embedded grammar had to write.")
    refused: Count = Field(description="Lines that a check refused and that were asked for again, or replaced.")
    judgements: Count
    stand_in_judgements: Count = Field(description="Judgements that the embedded formulas had to make.")
    repaired: Count = Field(description="Judgements that were readable at the second try.")
    prompt_tokens: Count
    completion_tokens: Count
    refused_by: dict[str, Count] = Field(description="Refused lines by the check that refused them.")

    @property
    def own_messages(self) -> float | None:
        """Share of messages that the model wrote itself, 0-1; None without any."""
        return 1 - self.stand_in_messages / self.messages if self.messages else None

    @property
    def own_judgements(self) -> float | None:
        """Share of judgements that the model made itself, 0-1; None without any."""
        return 1 - self.stand_in_judgements / self.judgements if self.judgements else None


class SimulatorResults(ResultsPart):
    """What one simulator of users moved."""

    episodes: Count
    failed: Count
    candidates: dict[str, SimulatedCandidate]
    realism: RealismResults
    model: PlayedCounts | None = Field(description="null for the embedded users.")
