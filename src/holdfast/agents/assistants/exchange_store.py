"""What others said in a situation and what was replied: stored exchanges, and those that are like a new situation."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from holdfast.agents.raters.adherence import adherence_of
from holdfast.agents.raters.gate.reading import words_of
from holdfast.agents.raters.protocol import EXPRESSED, expressed
from holdfast.core.hashing import sha256
from holdfast.core.jsonl import read_lines
from holdfast.personas.schema import Exchange, Frozen, MechanismLevels, OwnLevels

SHORTLIST = 4  # times as many as are wanted are compared by their levels: an assumption
NO_LINE = 'holds no exchange; each line is {"situation": …, "reply": …}, with "levels" and "persona" where known'

Said = Annotated[str, Field(min_length=1, max_length=8000)]


class StoredExchange(Frozen):
    """One line of a file. ``levels``: of the reply, 0-2 per mechanism; ``persona``: id or name of who said it."""

    situation: Said
    reply: Said
    levels: MechanismLevels | None = None
    persona: Annotated[str, Field(max_length=200)] = ""

    @property
    def as_example(self) -> Exchange:
        return Exchange.model_construct(user=self.situation, reply=self.reply)


def read_exchanges(path: Path) -> tuple[StoredExchange, ...]:
    """Read a file of exchanges. Raises InputError with the line of each fault, 20 at most."""
    return read_lines(path, StoredExchange, NO_LINE, most=20)


def without_people(exchanges: Iterable[StoredExchange], people: Collection[str]) -> tuple[StoredExchange, ...]:
    """Return the exchanges of nobody among ``people``, ids or names, whatever their case."""
    known = {name.casefold() for name in people}
    return tuple(exchange for exchange in exchanges if exchange.persona.casefold() not in known)


class Likeness(Protocol):
    """Says how like a text is to each of the texts that it knows."""

    def likeness(self, text: str) -> list[float]:
        """Return a cosine for each known text, in their order."""
        ...


class SituationIndex:
    r"""Texts by the cosine of their TF-IDF vectors.

    A word's weight is its count times ln((1 + n) / (1 + df)) + 1, of n texts of which df hold it: the smoothed weights
    of scikit-learn's ``TfidfVectorizer``. Words are those of :func:`holdfast.agents.raters.gate.reading.words_of`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        counts = [Counter(words_of(text)) for text in texts]
        held_by = Counter(word for count in counts for word in count)
        self._idf = {word: math.log((1 + self._size) / (1 + df)) + 1 for word, df in held_by.items()}
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, count in enumerate(counts):
            for word, weight in self._unit(count).items():
                self._postings[word].append((number, weight))

    def likeness(self, text: str) -> list[float]:
        """Return the cosine with each text, in [0, 1], in their order; 0 where no word is shared."""
        cosines = [0.0] * self._size
        for word, weight in self._unit(Counter(words_of(text))).items():
            for number, other in self._postings.get(word, ()):
                cosines[number] += weight * other
        return cosines

    def _unit(self, counts: Mapping[str, int]) -> dict[str, float]:
        """Return the known words' weights, scaled to length 1."""
        weights = {word: count * self._idf[word] for word, count in sorted(counts.items()) if word in self._idf}
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        return {word: weight / length for word, weight in weights.items()}


@dataclass(frozen=True)
class ExchangeStore:
    """Exchanges to retrieve from, in a fixed order. ``encoder``: a folder or a Hugging Face name; None: TF-IDF."""

    exchanges: tuple[StoredExchange, ...]
    encoder: str | None = None

    @cached_property
    def index(self) -> Likeness:
        """The situations, indexed once. Raises ModelError where the encoder cannot be loaded."""
        situations = [exchange.situation for exchange in self.exchanges]
        if self.encoder is None:
            return SituationIndex(situations)
        from holdfast.agents.assistants.encoded_situations import EncodedSituations  # brings torch

        return EncodedSituations(situations, self.encoder)

    @property
    def hashes(self) -> dict[str, str]:
        """The hash of all that can be retrieved, and of the encoder. Raises as :attr:`index` does."""
        own = {"exemplars": sha256("\n".join(exchange.model_dump_json() for exchange in self.exchanges))}
        if self.encoder is None:
            return own
        from holdfast.agents.assistants.encoded_situations import encoder_version  # brings torch

        return own | {"encoder of exemplars": encoder_version(self.encoder)}

    def retrieve(self, situation: str, target: MechanismLevels | OwnLevels, k: int) -> list[StoredExchange]:
        """Return at most ``k`` exchanges with different replies, the fittest last.

        Of the ``SHORTLIST`` times ``k`` most like situations those are taken whose levels are nearest to ``target``;
        those without levels on its scale come after all others. Among equals the more alike wins, then the earlier.
        """
        cosines = self.index.likeness(situation)
        order = sorted(range(len(cosines)), key=lambda number: -cosines[number])
        shortlist: dict[str, int] = {}
        for number in order:
            shortlist.setdefault(self.exchanges[number].reply, number)
            if len(shortlist) == SHORTLIST * k:
                break
        near = {number: _adherence(self.exchanges[number], target) for number in shortlist.values()}
        best = nlargest(k, near, key=near.__getitem__)
        return [self.exchanges[number] for number in reversed(best)]


def _adherence(exchange: StoredExchange, target: MechanismLevels | OwnLevels) -> float:
    """Return how near the levels are to ``target``; -1, below all others, where they are not known."""
    if exchange.levels is None or not isinstance(target, MechanismLevels):
        return -1.0
    return float(adherence_of([expressed(*exchange.levels.as_array())], target.as_array(), EXPRESSED)[0])
