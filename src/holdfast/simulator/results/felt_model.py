"""What a results file says of felt empathy: by each feeler that was asked, and how far it restates the rater."""

from pydantic import Field

from holdfast.agents.raters.felt.feelers import FeelerKind
from holdfast.simulator.measure.estimates import Count, MeanEstimate, ResultsPart, Share


class RestatedShare(ResultsPart):
    """R² of felt empathy on the primary rater's expressed levels, over n items; null where it is undefined."""

    share: Share
    n: Count


class Restating(ResultsPart):
    """How much of felt empathy the expressed levels explain. Near 1 it is the rater's echo, and no second opinion."""

    by_turn: RestatedShare = Field(description="Over all turns.")
    by_conversation: RestatedShare = Field(description="Over the means of conversations.")
    within_candidate: RestatedShare = Field(description="Over all turns, each candidate's means taken from both.")


class FeltCandidate(ResultsPart):
    """What one candidate let people feel, by one feeler."""

    perceived: MeanEstimate = Field(description="Felt empathy, 1-5: mean over the turns of an episode.")
    gap: MeanEstimate = Field(description="Desired - perceived, signed; positive: less was felt than was wanted.")
    gap_abs: MeanEstimate
    gap_reduction: MeanEstimate = Field(description="1 - mean |gap| / the baseline's mean |gap|; null without one.")


class FeltResults(ResultsPart):
    """Felt empathy by one feeler."""

    feeler: FeelerKind = Field(
        description="people: weights fitted on what people said of chats; model: a chat model that takes the user's "
        "part; formula: the user agents' own appraisal, which embedded users compute from the primary rater's levels."
    )
    id: str = Field(default="", description="Which weights or which model; empty for the formula.")
    version: str = ""
    prompt_sha256: str | None = None
    not_run: str = Field(default="", description="Why it was not asked; empty where it was.")
    judged: Count = Field(default=0, description="Turns of which it says what was felt.")
    missing: dict[str, Count] = Field(default={}, description="Turns of which it says nothing, by reason.")
    longest_chat: Count | None = Field(
        default=None,
        description="Exchanges of the longest chat that it was fitted on; null where it was fitted on none.",
    )
    extrapolated: Count = Field(
        default=0, description="Judged turns that come later than the longest chat that it was fitted on."
    )
    restates: Restating | None = Field(default=None, description="null where it was not asked.")
    candidates: dict[str, FeltCandidate] = Field(default={}, description="By the candidate's name.")
