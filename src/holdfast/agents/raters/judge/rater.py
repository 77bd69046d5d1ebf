"""A judge: any chat model, asked with a rubric, k times, in both orders of the dimensions.

Position control: every second sample lists the dimensions in reverse, and both orders are compared
(:mod:`holdfast.agents.raters.controls`). The judgement is the median over the usable samples; all samples are kept beside it.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel

from holdfast.agents.raters.judge.answer import Reason, Refusal, find_answer, read_scores
from holdfast.agents.raters.judge.asking import Asker, Answered, Question, ModelAnswer
from holdfast.agents.raters.judge.descriptive import Description, read_description
from holdfast.agents.raters.protocol import Rating, Passage, Scale, RaterIdentity
from holdfast.agents.raters.judge.quoting import Quoted, marked, quote_messages
from holdfast.agents.raters.judge.rubrics import describe, digest, fill, read_rubric

VERSION = "1"
Order = Literal["forward", "reversed"]
OnDone = Callable[[int, "Verdict"], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer of the judge. ``refused``: why it is not used, else None; ``first``: why it was asked for again."""

    order: Order
    scores: dict[str, float]
    refused: Refusal | None
    first: Reason | None
    tokens: tuple[int, int]
    description: Description | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement with the samples that it is the median of. ``spread``: highest minus lowest, per dimension."""

    judgement: Rating
    samples: tuple[Sample, ...]
    spread: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JudgeRater:
    """Scores passages on ``scale`` by asking ``model``. Implements :class:`holdfast.agents.raters.protocol.Rater`.

    ``name``: what the stamp calls the model; ``history``: how many messages before the reply are shown (None: all);
    ``descriptive``: ask for a judgement in words with its evidence too; ``structured``: try a JSON schema first.
    """

    model: BaseChatModel
    scale: Scale
    name: str
    samples: int = 1
    history: int | None = None
    descriptive: bool = False
    structured: bool = True
    concurrency: int = 8
    decoding: str = ""  # how the model samples, for the stamp

    @property
    def identity(self) -> RaterIdentity:
        names = ("frame", "ask_reply", "ask_whole", "repair", self.scale.id)
        prompt = digest(*names, *(("describe",) if self.descriptive else ()))
        decoding = f"/{self.decoding}" if self.decoding else ""
        shown = "all" if self.history is None else self.history
        return RaterIdentity(f"judge:{self.name}", f"{VERSION}/samples={self.samples}/history={shown}{decoding}", prompt)

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return [verdict.judgement for verdict in await self.examine(passages)]

    async def examine(self, passages: Sequence[Passage], on_done: OnDone | None = None) -> list[Verdict]:
        """One verdict per passage, in their order; ``on_done(index, verdict)`` is called as each is reached."""
        asker = Asker(self.model, self.concurrency, structured=self.structured)

        async def one(index: int, passage: Passage) -> Verdict:
            verdict = await self._verdict(asker, passage)
            if on_done is not None:
                on_done(index, verdict)
            return verdict

        return list(await asyncio.gather(*(one(index, passage) for index, passage in enumerate(passages))))

    async def _verdict(self, asker: Asker, passage: Passage) -> Verdict:
        orders: list[Order] = ["reversed" if number % 2 else "forward" for number in range(self.samples)]
        return self._joined(await asyncio.gather(*(self._sample(asker, passage, order) for order in orders)))

    async def _sample(self, asker: Asker, passage: Passage, order: Order) -> Sample:
        quoted = marked(quote_messages(self._shown(passage)))

        def read(said: ModelAnswer) -> tuple[dict[str, float], Description | None] | Refusal:
            answer = find_answer(said.text, quoted.mark, quoted.text, finished=said.finished)
            if isinstance(answer, Refusal):
                return answer
            scores = read_scores(answer, self.scale)
            if isinstance(scores, Refusal):
                return scores
            return scores, read_description(answer, passage.messages) if self.descriptive else None

        outcome: Answered[tuple[dict[str, float], Description | None]] = await asker.ask(
            self._question(quoted, passage.whole, order), read
        )
        if isinstance(outcome.value, Refusal):
            return Sample(order, {}, outcome.value, outcome.first, outcome.tokens)
        scores, description = outcome.value
        return Sample(order, scores, None, outcome.first, outcome.tokens, description)

    def _shown(self, passage: Passage) -> Sequence[Any]:
        return passage.messages if self.history is None or passage.whole else passage.messages[-1 - self.history :]

    def _question(self, quoted: Quoted, whole: bool, order: Order) -> Question:
        scale = self.scale
        names = scale.dimensions if order == "forward" else scale.dimensions[::-1]
        form = _form(quoted.mark, names, self.descriptive)
        system = fill(
            "frame",
            low=f"{scale.low:g}",
            high=f"{scale.high:g}",
            dimensions=describe(scale, names),
            mark=quoted.mark,
            form=form,
        )
        if self.descriptive:
            system += "\n\n" + read_rubric("describe")
        ask = "ask_whole" if whole else "ask_reply"
        user = fill(ask, mark=quoted.mark, conversation=quoted.text, names=", ".join(names))
        return Question(system, user, form, _schema(quoted.mark, scale, names, self.descriptive))

    def _joined(self, samples: Sequence[Sample]) -> Verdict:
        usable = [sample for sample in samples if sample.refused is None]
        by_dimension = {
            name: [sample.scores[name] for sample in usable if name in sample.scores] for name in self.scale.dimensions
        }
        judgement = Rating(
            values={name: float(median(values)) for name, values in by_dimension.items() if values},
            missing=None if usable else _why(samples),
            evidence="\n\n".join(str(sample.description) for sample in usable if sample.description is not None),
            repaired=sum(sample.first is not None for sample in usable),
            tokens=(sum(sample.tokens[0] for sample in samples), sum(sample.tokens[1] for sample in samples)),
        )
        spread = {name: max(values) - min(values) for name, values in by_dimension.items() if values}
        return Verdict(judgement, tuple(samples), spread)


def _why(samples: Sequence[Sample]) -> str:
    """The reason that most samples share, in the words of the first that has it."""
    refused = [sample.refused for sample in samples if sample.refused is not None]
    commonest = Counter(one.reason for one in refused).most_common(1)[0][0]
    return str(next(one for one in refused if one.reason == commonest))


def _form(mark: str, names: Sequence[str], descriptive: bool) -> str:
    words = {"judgement": "...", "quotes": ["..."]} if descriptive else {}
    shown = json.dumps({"id": mark, **words, **dict.fromkeys(names, "SCORE")})
    return shown.replace('"SCORE"', "<score>")


def _schema(mark: str, scale: Scale, names: Sequence[str], descriptive: bool) -> dict[str, Any]:
    score = {"anyOf": [{"type": "number", "minimum": scale.low, "maximum": scale.high}, {"type": "null"}]}
    words: dict[str, Any] = {}
    if descriptive:
        words = {"judgement": {"type": "string"}, "quotes": {"type": "array", "items": {"type": "string"}}}
    properties = {"id": {"type": "string", "enum": [mark]}, **words, **dict.fromkeys(names, score)}
    return {
        "title": "rating",
        "description": "The scores of one message.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
