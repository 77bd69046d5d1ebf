"""One rated reply as a JSON line: written as soon as it is there, read again when an interrupted run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from holdfast.agents.raters.judge.counts import samples_spread
from holdfast.agents.raters.judge.quoting import quote_messages
from holdfast.agents.raters.protocol import Failure, RaterIdentity, Rating
from holdfast.agents.raters.sample import Description, Order, Quote, Reason, Refusal, Sample
from holdfast.core.errors import Fault, InputError
from holdfast.core.hashing import sha256

if TYPE_CHECKING:
    from holdfast.simulator.judging.reading import SourcedPassage


class _StoredModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SampleLine(_StoredModel):
    """One answer of a judge. ``first_refused``: why it was asked for again."""

    order: Order
    scores: dict[str, float]
    refused: Reason | None
    detail: str
    first_refused: Reason | None
    judgement: str | None
    quotes: tuple[Quote, ...]


class RaterLine(_StoredModel):
    """Which rater: its name, and its identity."""

    name: str
    id: str
    version: str
    prompt_sha256: str | None

    @classmethod
    def of(cls, name: str, identity: RaterIdentity) -> Self:
        """The rater ``name`` of this identity."""
        return cls(name=name, **asdict(identity))


class RatedLine(_StoredModel):
    """One passage by one rater. It holds no word of the conversation but what a judge quotes."""

    file: str
    line: int  # 0 where the log has no lines
    conversation: str = ""
    turn: int
    whole: bool
    passage_sha256: str
    rater: RaterLine
    scores: dict[str, float]
    missing: str | None
    disqualified: Failure | None = None  # the failure that the gate saw
    words: int
    evidence: str = ""
    spread: dict[str, float] = {}  # pydantic copies it
    repaired: int = 0
    tokens: tuple[int, int] = (0, 0)
    samples: tuple[SampleLine, ...] | None = None  # a judge's

    @property
    def key(self) -> Key:
        """What must be the same for a line to stand for a passage."""
        place = (self.file, self.line, self.conversation, self.turn, self.whole)
        return (*place, self.passage_sha256, self.rater.model_dump_json())

    @property
    def worth_keeping(self) -> bool:
        """Whether it need not be rated again: no sample was lost to the server."""
        return all(sample.refused != "server" for sample in self.samples or ())


Key = tuple[str, int, str, int, bool, str, str]


def key_of(name: str, cited: SourcedPassage, identity: RaterIdentity) -> Key:
    """The key that the line of this passage by this rater has."""
    return to_line(name, identity, cited, Rating()).key


def to_line(name: str, identity: RaterIdentity, cited: SourcedPassage, rating: Rating) -> RatedLine:
    """The line of one passage by one rater."""
    return RatedLine(
        file=cited.file,
        line=cited.line,
        conversation=cited.conversation,
        turn=cited.turn,
        whole=cited.passage.whole,
        passage_sha256=sha256(quote_messages(cited.passage.messages)),
        rater=RaterLine.of(name, identity),
        scores=dict(rating.values),
        missing=rating.missing,
        disqualified=rating.disqualified,
        words=len(cited.rated.split()),
        evidence=rating.evidence,
        spread=samples_spread(rating.samples),
        repaired=rating.repaired,
        tokens=rating.tokens,
        samples=tuple(map(_sample_line, rating.samples)) or None,
    )


def to_rating(line: RatedLine) -> Rating:
    """The rating that a line was written of; the tokens stand in the rating, not in the samples."""
    samples = tuple(map(_sample, line.samples or ()))
    rating = Rating(line.scores, line.missing, line.evidence, line.repaired, line.tokens, samples)
    return replace(rating, disqualified=line.disqualified)


def read_kept(out: Path) -> Iterator[RatedLine]:
    """The lines of an interrupted run that need not be asked again; a torn last line is passed over.

    Raises :class:`InputError` where ``out`` holds something else: going on would write over it.
    """
    lines = out.read_text(encoding="utf-8", errors="replace").split("\n") if out.exists() else []
    for number, text in enumerate(lines, start=1):
        try:
            line = RatedLine.model_validate_json(text)
        except ValidationError:
            if number < len(lines) and text.strip():
                fault = Fault(f"{out}:{number}", "is no line of an earlier run of this command; choose another --out")
                raise InputError([fault]) from None
            continue
        if line.worth_keeping:
            yield line


def _sample_line(sample: Sample) -> SampleLine:
    described, refused = sample.description, sample.refused
    return SampleLine(
        order=sample.order,
        scores=sample.scores,
        refused=refused.reason if refused else None,
        detail=refused.detail if refused else "",
        first_refused=sample.first,
        judgement=described.words if described else None,
        quotes=described.quotes if described else (),
    )


def _sample(line: SampleLine) -> Sample:
    refused = Refusal(line.refused, line.detail) if line.refused else None
    described = None if line.judgement is None else Description(line.judgement, line.quotes)
    return Sample(line.order, line.scores, refused, line.first_refused, (0, 0), described)
