"""A judge: any chat model, asked with a rubric, k times, in both orders of the dimensions.

Position control: every second sample lists the dimensions in reverse, so that both orders can be compared. The rating
is the median over the usable samples; it keeps all samples.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from holdfast.agents.protocols import ChatModel, Generation, Message, Sampling
from holdfast.agents.raters.judge.answer import find_answer, read_scores
from holdfast.agents.raters.judge.asking import Answered, Asker, Question, answer_schema, asking_version
from holdfast.agents.raters.judge.descriptive import read_description
from holdfast.agents.raters.judge.quoting import Quoted, marked, quote_messages
from holdfast.agents.raters.judge.rubrics import digest, fill, read_rubric, rubric_words, sections
from holdfast.agents.raters.protocol import FELT, NO_REPLY, Passage, RaterIdentity, Rating, Scale, holds_reply
from holdfast.agents.raters.sample import Description, Order, Refusal, Sample

MAX_TOKENS = 512  # of one answer, unless asked otherwise


def judge_sampling(samples: int, temperature: float | None = None, max_tokens: int = MAX_TOKENS) -> Sampling:
    """Return how a judge decodes: greedily for one sample, else at .7, so that samples can differ."""
    if temperature is None:
        temperature = 0.0 if samples == 1 else 0.7
    return Sampling(temperature, max_tokens=max_tokens)


@dataclass(frozen=True, slots=True)
class _Wording:
    """The texts that a judge is asked with, by file, and the keys in which it answers in words, with their schemas."""

    frame: str
    ask_reply: str
    ask_whole: str
    describe: str
    words: Mapping[str, Mapping[str, Any]]


_TEXT = {"type": "string"}
_JUDGEMENT = _Wording(
    "frame", "ask_reply", "ask_whole", "describe", {"judgement": _TEXT, "quotes": {"type": "array", "items": _TEXT}}
)
#: What a judge of felt empathy is asked: to take the user's part, and to think before it scores.
_MONOLOGUE = _Wording("felt_frame", "felt_ask", "felt_ask", "felt_describe", {"thought": _TEXT})


@dataclass(frozen=True, slots=True)
class JudgeRater:
    """Rates passages on ``scale`` by asking ``model``. Implements :class:`holdfast.agents.raters.protocol.Rater`.

    On the scale of felt empathy the model takes the user's part: an inner monologue first, which is kept as evidence,
    then one score of the conversation up to the last reply.

    Attributes:
        name: What the identity calls the model.
        samples: Answers per passage.
        history: How many messages before the reply are shown (None: all).
        descriptive: Ask for words with their evidence too; always asked for of felt empathy.
        structured: Ask with a JSON schema. A model of this process then cannot leave it, and scores in steps
            of .1, or finer ones on a scale narrower than 1.
        concurrency: Most requests in flight of one call.
        described: What the levels of each dimension say, of a scale that has no rubric file.
        sampling: How the model decodes; see :func:`judge_sampling`.
    """

    model: ChatModel
    scale: Scale
    name: str
    samples: int = 1
    history: int | None = None
    descriptive: bool = False
    structured: bool = True
    concurrency: int = 8
    described: Mapping[str, str] = field(default_factory=dict)
    sampling: Sampling = field(default_factory=lambda: judge_sampling(1))
    _asker: Asker = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_asker", Asker(self.model, self.sampling, self.structured))

    @property
    def _wording(self) -> _Wording:
        return _MONOLOGUE if self.scale == FELT else _JUDGEMENT

    @property
    def _describes(self) -> bool:
        return self.descriptive or self.scale == FELT

    @property
    def identity(self) -> RaterIdentity:
        texts = self._wording
        names = (texts.frame, texts.ask_reply, texts.ask_whole, "repair", *(() if self.described else (self.scale.id,)))
        own = rubric_words(self.described, self.scale.dimensions) if self.described else ""
        prompt = digest(*names, *((texts.describe,) if self._describes else ()), own=own)
        shown = "all" if self.history is None else self.history
        how = f"samples={self.samples}/history={shown}/temperature={self.sampling.temperature:g}"
        version = asking_version(self.model, structured=self.structured)
        return RaterIdentity(f"judge:{self.name}", f"{version}/{how}", prompt)

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        gate = asyncio.Semaphore(self.concurrency)
        return list(await asyncio.gather(*(self._rating(passage, gate) for passage in passages)))

    async def _rating(self, passage: Passage, gate: asyncio.Semaphore) -> Rating:
        if not holds_reply(passage):
            return Rating(missing=NO_REPLY)
        return self._joined(await asyncio.gather(*(self._sample(passage, n, gate) for n in range(self.samples))))

    async def _sample(self, passage: Passage, number: int, gate: asyncio.Semaphore) -> Sample:
        order: Order = "reversed" if number % 2 else "forward"
        quoted = marked(quote_messages(self._shown(passage)))

        def read(said: Generation) -> tuple[dict[str, float], Description | None] | Refusal:
            answer = find_answer(said.text, quoted.mark, quoted.text, finished=said.finish_reason == "stop")
            if isinstance(answer, Refusal):
                return answer
            scores = read_scores(answer, self.scale)
            if isinstance(scores, Refusal):
                return scores
            return scores, read_description(answer, passage.messages) if self._describes else None

        question = self._question(quoted, passage.whole, order, number)
        answered: Answered[tuple[dict[str, float], Description | None]] = await self._asker.ask(question, read, gate)
        if isinstance(answered.value, Refusal):
            return Sample(order, {}, answered.value, answered.first, answered.tokens)
        scores, description = answered.value
        return Sample(order, scores, None, answered.first, answered.tokens, description)

    def _shown(self, passage: Passage) -> Sequence[Message]:
        return passage.messages if self.history is None or passage.whole else passage.messages[-1 - self.history :]

    def _question(self, quoted: Quoted, whole: bool, order: Order, sample: int) -> Question:
        scale, texts = self.scale, self._wording
        names = scale.dimensions if order == "forward" else scale.dimensions[::-1]
        words = texts.words if self._describes else {}
        form = _form(quoted.mark, names, words)
        system = fill(
            texts.frame,
            low=f"{scale.low:g}",
            high=f"{scale.high:g}",
            dimensions=rubric_words(self.described or sections(scale), names),
            mark=quoted.mark,
            form=form,
        )
        if words:
            system += "\n\n" + read_rubric(texts.describe)
        ask = texts.ask_whole if whole else texts.ask_reply
        user = fill(ask, mark=quoted.mark, conversation=quoted.text, names=", ".join(names))
        return Question(system, user, form, _schema(quoted.mark, scale, names, words), sample)

    def _joined(self, samples: Sequence[Sample]) -> Rating:
        usable = [sample for sample in samples if sample.refused is None]
        scores = {
            name: [sample.scores[name] for sample in usable if name in sample.scores] for name in self.scale.dimensions
        }
        return Rating(
            values={name: float(median(values)) for name, values in scores.items() if values},
            missing=None if usable else _why(samples),
            evidence="\n\n".join(str(sample.description) for sample in usable if sample.description is not None),
            repaired=sum(sample.first is not None for sample in usable),
            tokens=(sum(sample.tokens[0] for sample in samples), sum(sample.tokens[1] for sample in samples)),
            samples=tuple(samples),
        )


def _why(samples: Sequence[Sample]) -> str:
    """The reason that most samples share, in the words of the first that has it."""
    refused = [sample.refused for sample in samples if sample.refused is not None]
    commonest = Counter(refusal.reason for refusal in refused).most_common(1)[0][0]
    return str(next(refusal for refusal in refused if refusal.reason == commonest))


def _form(mark: str, names: Sequence[str], words: Mapping[str, Mapping[str, Any]]) -> str:
    said = {key: "..." if schema == _TEXT else ["..."] for key, schema in words.items()}
    shown = json.dumps({"id": mark, **said, **dict.fromkeys(names, "SCORE")})
    return shown.replace('"SCORE"', "<score>")


def _schema(mark: str, scale: Scale, names: Sequence[str], words: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    score = {"anyOf": [{"type": "number", "minimum": scale.low, "maximum": scale.high}, {"type": "null"}]}
    return answer_schema("rating", "The scores of one message.", mark, {**words, **dict.fromkeys(names, score)})
