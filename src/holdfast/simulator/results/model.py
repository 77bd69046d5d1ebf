"""``results.json`` as a typed model: everything that a study measured, with the meaning of each field."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from holdfast.agents.raters.felt.feelers import FeelerKind, kind_of
from holdfast.agents.raters.protocol import Identified, Scale
from holdfast.simulator.measure.estimates import Count, MeanEstimate, Number, ResultsPart
from holdfast.simulator.measure.pairwise import PairResults
from holdfast.simulator.measure.routing_accuracy import RoutingResults
from holdfast.simulator.results.candidate_model import (
    AgreementResults,
    CandidateResults,
    SimulatorResults,
    SurvivalPairResults,
)
from holdfast.simulator.results.felt_model import FeltResults
from holdfast.simulator.results.harm_model import TaskHarm
from holdfast.simulator.results.label_model import RunLabels
from holdfast.simulator.results.shapes import plain
from holdfast.simulator.results.trainings import TrainingsDifference
from holdfast.simulator.results.user_faults import UserFaultResults


class TaskInfo(ResultsPart):
    """A task context and the pattern expected there."""

    title: str
    pattern: str


class PatternInfo(ResultsPart):
    """An empathy pattern: the target level of each dimension, on the primary rater's scale."""

    title: str
    target: dict[str, float]
    advice: Literal[0, 1, 2]


class RaterInfo(ResultsPart):
    """A rater, the version that gave the scores, and its scale."""

    name: str = Field(description="What the study calls it.")
    id: str
    version: str
    role: Literal["primary", "witness", "feeler", "asked afterwards"] = Field(
        description="The primary rater makes the curves; a feeler says what the user felt, in the run or afterwards."
    )
    prompt_sha256: str | None = Field(None, description="SHA-256 of its rubric; null without one.")
    scale: Scale = Field(description="Each dimension from low to high; step: between two labels that people gave.")


def rater_infos(raters: Mapping[str, Identified]) -> list[RaterInfo]:
    """Describe a study's raters, the primary one first, feelers last."""
    return [
        RaterInfo(name=name, **asdict(rater.identity), role=_role(place, name), scale=rater.scale)
        for place, (name, rater) in enumerate(raters.items())
    ]


def _role(place: int, name: str) -> Literal["primary", "witness", "feeler"]:
    if kind_of(name) is not None:
        return "feeler"
    return "witness" if place else "primary"


def installed_version() -> str:
    """Return the version of holdfast; "unknown" where it is not installed."""
    try:
        return version("holdfast")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


class PopulationNode(ResultsPart):
    """A user agent. felt: mean of its own appraisal, 1-5, by which its expectation moves."""

    model_config = ConfigDict(extra="allow")

    id: str
    persona: str
    task: str
    felt: Number


class PopulationRound(ResultsPart):
    """A round of a population with one candidate: means over its conversations."""

    candidate: str
    round: Count = Field(description="From 1.")
    desired: Number = Field(description="Empathy that was expected before the round, 1-5.")
    felt: Number = Field(description="The users' own appraisal in it, 1-5.")


class PopulationResults(ResultsPart):
    """The graph of user agents, coloured by what they appraised."""

    model_config = ConfigDict(extra="allow")

    nodes: list[PopulationNode]
    edges: list[tuple[str, str]] = Field(description="Ties, by id.")
    candidate: str | None = Field(default=None, description="With whom the nodes felt it, in the last round.")
    rounds: list[PopulationRound] = Field(default=[], description="By candidate and round.")


class Results(ResultsPart):
    """What a study measured.

    Undefined numbers are null. The version changes when a field changes its meaning or goes; new fields may come
    within a version.
    """

    schema_version: Literal[3] = 3
    holdfast_version: str
    study: str = Field(description="The study's name.")
    seed: int = Field(description="The study's seed.")
    transcripts_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 over one JSON line [episode id, turn, user, reply] per turn, ordered by id and turn."
    )
    byte_reproducible: bool | None = Field(
        default=None,
        description="Whether the same study gives the same transcripts_sha256, whatever the batch size, the order of "
        "conversations and the stops in between; null where the run did not record it.",
    )
    not_reproducible: list[str] = Field(default=[], description="Why not: a reason a model.")
    remark: str = Field(default="", description="Its author's, or why a part of it is missing; empty without one.")
    turns: Count = Field(description="Longest planned length of a conversation.")
    episodes: Count = Field(description="Conversations, failed ones included.")
    failed_episodes: Count = Field(description="Conversations that ended in an error.")
    failures: dict[str, Count] = Field(
        default={}, description="The commonest causes of failed conversations, and how many failed of each."
    )
    unfinished_episodes: Count = Field(
        description="Conversations that the run still owed turns when this was written; not 0 while a study runs or is "
        "stopped."
    )
    baseline: str | None = Field(description="The candidate that gap reduction and score factor compare with.")
    headline: str = Field(description="The study's finding in one sentence.")
    undecided: str = Field(
        default="",
        description="Why it is undecided which of the headline's candidates adheres more in the last quarter: unrated "
        "replies could turn the verdict; empty where they could not.",
    )
    tasks: dict[str, TaskInfo] = Field(description="Task contexts by id.")
    patterns: dict[str, PatternInfo] = Field(description="Empathy patterns by id.")
    raters: list[RaterInfo] = Field(description="The primary rater first.")
    agreement: list[AgreementResults] = Field(description="Of each witness with the primary rater.")
    candidates: dict[str, CandidateResults] = Field(description="Candidates by name.")
    felt: list[FeltResults] = Field(
        default=[],
        description="Felt empathy by each feeler; the first is the study's own, whose values stand in every other "
        "figure of felt empathy and the gap. Empty in files from before there was a choice: then it is the formula.",
    )
    unvalidated: str = Field(
        default="", description="Where no rater was held against people: tasks of the study's own; empty: nowhere."
    )
    labels: RunLabels | None = Field(None, description="null where nobody labelled replies (holdfast label).")
    harmed: list[TaskHarm] = Field(
        default=[], description="Tasks in which a candidate adheres less than the baseline, the worst first."
    )
    verbatim: dict[str, MeanEstimate] = Field(
        default={},
        description="Share of a candidate's sentences that stand word for word, names aside, in the dialogues that the "
        "run's adapters were trained on; by candidate, empty where nothing was trained.",
    )
    verbatim_replies: dict[str, MeanEstimate] = Field(
        default={}, description="The same of whole replies: all of their sentences, in one order."
    )
    simulators: dict[str, SimulatorResults] | None = Field(
        description="By who played the users; null where only the embedded users did. Candidates' figures elsewhere "
        "are over all simulators together."
    )
    user_faults: UserFaultResults | None = Field(
        None, description="Is the user at fault? null in files from before this was asked."
    )
    pairwise: list[PairResults] = Field(
        description="Every pair of candidates in every metric, a trained one before an untrained one."
    )
    trainings: list[TrainingsDifference] = Field(
        default=[], description="Arms that were trained several times, against each untrained candidate."
    )
    pairwise_survival: list[SurvivalPairResults]
    router: RoutingResults | None = Field(description="null where no candidate recognises tasks.")
    population: PopulationResults | None = Field(description="null where the study has none.")
    timings_s: dict[str, float] = Field(description="Seconds by stage.")
    provenance: Annotated[dict[str, Any], BeforeValidator(plain)] = Field(
        description="How it was made: versions, hashes, settings."
    )

    @property
    def feeler(self) -> FeelerKind:
        """Who says what was felt, wherever nobody else is named."""
        return self.felt[0].feeler if self.felt else "formula"


def results_schema() -> dict[str, Any]:
    """Make the JSON Schema of ``results.json``, with a description of each field."""
    schema = Results.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:holdfast:results:3", **schema}
