"""``realism.json`` as a typed model: how far simulated users are from people."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from holdfast.simulator.logs.writing import whole
from holdfast.simulator.measure.estimates import Count, MeanEstimate, Number, ResultsPart, Share
from holdfast.simulator.results.user_faults import UserFaultResults

Unit = Literal["message", "conversation"]
Wording = Literal["masked", "raw", "levelled"]
UNITS: tuple[Unit, ...] = ("message", "conversation")


class SourceHabits(ResultsPart):
    """How the users of one source talk; a figure, or its mean, is null where it is unknown (``missing`` says why)."""

    name: str
    simulated: bool
    people: Count
    conversations: Count
    messages: Count
    words: MeanEstimate = Field(description="Words per message.")
    questions: MeanEstimate = Field(description="Share of messages with a question mark.")
    line_to_line: MeanEstimate = Field(description="Mean cosine (TF-IDF) of each message and all earlier ones.")
    stickiness: MeanEstimate = Field(description="Share of messages whose act, by its form, is that of the one before.")
    stickiness_by_chance: MeanEstimate = Field(description="The same if the messages stood in any order.")
    agreeable: MeanEstimate = Field(description="Share of messages that agree or thank.")
    distinct: MeanEstimate = Field(description="Share of messages unlike every earlier one of the conversation.")
    emotion_carry: MeanEstimate | None = Field(
        description="Lag-1 autocorrelation of the changes of the user's emotion, about 0: sum of products of "
        "neighbours over the mean of their sums of squares."
    )
    intention_again: MeanEstimate | None = Field(
        description="Share of messages whose intention (feel, ask, tell, ...) is that of the one before."
    )
    over_cooperation: MeanEstimate | None = Field(
        description="Share of messages that agree or thank, right after a reply that was disqualified or passed over "
        "what was said."
    )
    prompt_to_line: MeanEstimate | None = Field(description="Mean cosine (TF-IDF) of the persona's text and messages.")
    answers: MeanEstimate | None = Field(
        description="Share of a reply's questions about facts of the persona's story that the next message answers "
        "with half of the words of one of the fact's wordings."
    )
    frames: Count = Field(description="Distinct sentence frames: the persona's feelings, topics and needs as blanks.")
    missing: dict[str, str] = Field(description="Why a figure is null, by its name.")


class ToldApart(ResultsPart):
    """How well a classifier tells two sources apart that were cut to equally many texts of each turn."""

    first: str
    second: str
    floor: bool = Field(description="Both are real people.")
    unit: Unit
    wording: Wording = Field(
        description="masked: names and topic nouns; raw: as written; levelled: masked, and typing taken out."
    )
    words: MeanEstimate = Field(description="AUC by TF-IDF of words and pairs of words; n: texts, of both sides.")
    encoder: MeanEstimate | None = Field(description="AUC by MiniLM's sentence vectors; null where it was not asked.")
    people: tuple[int, int] = Field(description="People on each side.")
    masked_share: tuple[Share, Share] = Field(description="Share of each side's words that are masked.")
    turns: Count = Field(description="Turns that a conversation was cut to; for messages, turns that both sides have.")
    untested: str = Field(default="", description="Why it is not tested; empty where it is.")

    @property
    def larger(self) -> MeanEstimate:
        """The larger AUC of the two classifiers."""
        if self.encoder is None or (self.encoder.mean or 0.0) <= (self.words.mean or 0.0):
            return self.words
        return self.encoder


class RealismReport(ResultsPart):
    """What ``holdfast realism`` measured."""

    schema_version: Literal[1] = 1
    holdfast_version: str
    seed: int
    encoder: str = Field(description="Why MiniLM was not asked; empty where it was.")
    sources: list[SourceHabits]
    told_apart: list[ToldApart]
    faults: dict[str, UserFaultResults] = Field(description="Is the user at fault? By run folder.")
    notes: list[str]

    def auc(self, first: str, second: str, unit: Unit, wording: Wording = "masked") -> Number:
        """Return the larger AUC between two sources; None where it was not measured."""
        for each in self.told_apart:
            if {each.first, each.second} == {first, second} and (each.unit, each.wording) == (unit, wording):
                return each.larger.mean
        return None


def write_realism(report: RealismReport, path: Path) -> None:
    """Write the report as JSON, whole or not at all. Raises InputError where it cannot be written."""
    with whole(path) as draft:
        draft.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
