"""A judge that compares two replies to the same conversation, asked twice with the replies swapped.

Only a preference that survives the swap counts; one that does not is the judge's position bias, and is counted as
such (Wang et al. 2024, arXiv 2305.17926). How often the longer reply wins is reported beside it.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from holdfast.agents.protocols import ChatModel, Generation, Message, Sampling
from holdfast.agents.raters.judge.answer import find_answer, read_number
from holdfast.agents.raters.judge.asking import Answered, Asker, Question, answer_schema, asking_version
from holdfast.agents.raters.judge.quoting import Quoted, marked, quote_messages, quote_replies
from holdfast.agents.raters.judge.rater import judge_sampling
from holdfast.agents.raters.judge.rubrics import digest, fill, rubric_words, sections
from holdfast.agents.raters.protocol import RaterIdentity, Scale
from holdfast.agents.raters.sample import REASONS, Refusal

Better = Literal["first", "second", "neither"]
MATCHED = 0.1  # two replies are of one length where the longer has at most this share more words


@dataclass(frozen=True, slots=True)
class ReplyPair:
    """Two replies to ``messages`` (oldest first, the user's newest last)."""

    messages: tuple[Message, ...]
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Preference:
    """``better``: what both orders say; None where they differ or one is missing. ``as_listed``, ``swapped``: what each
    order said, or why it said nothing."""

    better: Better | None
    as_listed: Better | Refusal
    swapped: Better | Refusal
    repaired: int
    tokens: tuple[int, int]

    @property
    def missing(self) -> str | None:
        """Why there is no answer at all; None where both orders answered."""
        return next((str(answer) for answer in (self.as_listed, self.swapped) if isinstance(answer, Refusal)), None)


@dataclass(frozen=True, slots=True)
class PairwiseJudge:
    """Says which of two replies does more of what ``scale`` describes. ``name``: what the identity calls the model."""

    model: ChatModel
    scale: Scale
    name: str
    structured: bool = True
    concurrency: int = 8
    sampling: Sampling = field(default_factory=lambda: judge_sampling(1))

    @property
    def identity(self) -> RaterIdentity:
        version = asking_version(self.model, structured=self.structured)
        return RaterIdentity(
            f"pairwise:{self.name}", version, digest("compare", "ask_compare", "repair", self.scale.id)
        )

    async def compare(self, pairs: Sequence[ReplyPair]) -> list[Preference]:
        """One preference per pair, in their order; raises nothing for what the model answers."""
        asker, gate = Asker(self.model, self.sampling, self.structured), asyncio.Semaphore(self.concurrency)
        return list(await asyncio.gather(*(self._preference(asker, gate, pair) for pair in pairs)))

    async def _preference(self, asker: Asker, gate: asyncio.Semaphore, pair: ReplyPair) -> Preference:
        plain, turned = await asyncio.gather(
            self._ask(asker, gate, pair.messages, (pair.first, pair.second)),
            self._ask(asker, gate, pair.messages, (pair.second, pair.first)),
        )
        first, second = plain.value, _turned(turned.value)
        agreed = first if not isinstance(first, Refusal) and first == second else None
        tokens = (plain.tokens[0] + turned.tokens[0], plain.tokens[1] + turned.tokens[1])
        repaired = sum(each.first is not None and not isinstance(each.value, Refusal) for each in (plain, turned))
        return Preference(agreed, first, second, repaired, tokens)

    async def _ask(
        self, asker: Asker, gate: asyncio.Semaphore, messages: Sequence[Message], replies: tuple[str, str]
    ) -> Answered[Better]:
        conversation, listed = quote_messages(messages), quote_replies(replies)
        quoted = marked(f"{conversation}\n{listed}")
        form = json.dumps({"id": quoted.mark, "better": "NUMBER"}).replace('"NUMBER"', "<0, 1 or 2>")
        system = fill(
            "compare", dimensions=rubric_words(sections(self.scale), self.scale.dimensions), mark=quoted.mark, form=form
        )
        user = fill("ask_compare", mark=quoted.mark, conversation=conversation, replies=listed)
        asked = {"better": {"type": "integer", "enum": [0, 1, 2]}}
        schema = answer_schema("comparison", "Which reply is better.", quoted.mark, asked)
        return await asker.ask(Question(system, user, form, schema), lambda said: _read(said, quoted), gate)


def position_report(preferences: Sequence[Preference]) -> dict[str, float]:
    """How much the order mattered, over pairs that both orders answered.

    ``consistent``: share with the same answer both times; ``first_listed``: share of answers for a reply, over both
    orders, that went to the one listed first (.5: none favoured); nan without any. ``n``: pairs; ``missing``: the rest.
    """
    whole = [each for each in preferences if each.missing is None]
    firsts = [each.as_listed == "first" for each in whole if each.as_listed != "neither"]
    firsts += [each.swapped == "second" for each in whole if each.swapped != "neither"]
    return {
        "consistent": _share([each.better is not None for each in whole]),
        "first_listed": _share(firsts),
        "n": len(whole),
        "missing": len(preferences) - len(whole),
    }


def verbosity_report(pairs: Sequence[ReplyPair], preferences: Sequence[Preference]) -> dict[str, float]:
    """How often the longer reply is preferred, over consistent preferences for one reply.

    ``longer``: share of wins by the reply with more words, where they differ by more than ``MATCHED``; ``n`` of those;
    ``matched``: wins between replies of one length, which length cannot explain. nan where there are none.
    """
    longer, matched = [], 0
    for pair, preference in zip(pairs, preferences, strict=True):
        if preference.better not in {"first", "second"}:
            continue
        words = len(pair.first.split()), len(pair.second.split())
        if max(words) <= (1 + MATCHED) * min(words):
            matched += 1
        else:
            longer.append((words[0] > words[1]) == (preference.better == "first"))
    return {"longer": _share(longer), "n": len(longer), "matched": matched}


def _share(answers: Sequence[bool]) -> float:
    return sum(answers) / len(answers) if answers else float("nan")


def _turned(value: Better | Refusal) -> Better | Refusal:
    turned: Mapping[str, Better] = {"first": "second", "second": "first", "neither": "neither"}
    return value if isinstance(value, Refusal) else turned[value]


def _read(said: Generation, quoted: Quoted) -> Better | Refusal:
    answer = find_answer(said.text, quoted.mark, quoted.text, finished=said.finish_reason == "stop")
    if isinstance(answer, Refusal):
        return answer
    if "better" not in answer:
        return Refusal("incomplete", "better is absent")
    number = read_number(answer["better"], 2)
    if number is None:
        return Refusal("not_a_number", REASONS["not_a_number"])
    names: Mapping[float, Better] = {0: "neither", 1: "first", 2: "second"}
    return names[number] if number in names else Refusal("out_of_range", f"better is {number:g}, allowed: 0, 1, 2")
