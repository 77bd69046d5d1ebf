"""What a results file says of people's labels: agreement of coders and raters, and intervals by three methods."""

from pydantic import Field

from holdfast.simulator.labelling.store import ScaleName
from holdfast.simulator.measure.estimates import Count, Estimate, Number, ResultsPart, Share

ByMethod = dict[str, Estimate]


class CoderAgreement(ResultsPart):
    """Two coders, or a rater and the coders, on the replies that both judged."""

    first: str
    second: str
    dimension: str
    kappa: Number = Field(description="Quadratic-weighted kappa; 1 is agreement, 0 chance.")
    n: Count = Field(description="Replies.")


class RaterError(ResultsPart):
    """How far a rater is from the coders. A difference of it between candidates biases their comparison."""

    rater: str
    dimension: str
    by_candidate: dict[str, Estimate] = Field(description="Mean of rating - label.")
    differs: dict[str, Estimate] = Field(description="'a - b' -> the difference of it between two candidates.")

    @property
    def biases(self) -> list[str]:
        """The pairs between which its error surely differs."""
        return [pair for pair, difference in self.differs.items() if difference.excludes_zero]


class LabelledCandidate(ResultsPart):
    """One candidate by three methods: "labels and rater" (prediction-powered), "labels only", "rater only"."""

    labels: Count
    persons: Count = Field(description="Personas with a label.")
    adherence: ByMethod = Field(description="By each method; a reply that the gate stopped counts 0 by all of them.")
    quarters: list[ByMethod] = Field(description="Adherence by quarter of the conversation, first to last.")
    retention: ByMethod = Field(description="Last quarter / first, with Fieller's limits.")


class LabelledDifference(ResultsPart):
    """a - b before the same personas, by the three methods."""

    a: str
    b: str
    metric: str
    difference: ByMethod


class RunLabels(ResultsPart):
    """Intervals for what these coders would say; as good as the coders, however wrong the rater is."""

    scale: ScaleName
    coders: dict[str, Count] = Field(description="Labels by coder.")
    models: list[str] = Field(description="Coders that are language models: what rests on them is no human judgement.")
    drawn: Count = Field(description="Replies that were drawn.")
    labelled: Count = Field(description="Replies with a label.")
    twice: Count = Field(description="Replies that more than one coder labelled.")
    share_labelled: Share
    between_coders: list[CoderAgreement]
    raters: list[CoderAgreement]
    errors: list[RaterError]
    candidates: dict[str, LabelledCandidate]
    differences: list[LabelledDifference]
    notes: list[str]
