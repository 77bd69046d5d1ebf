"""What many answers of a judge come to: how far their scores spread, and what became of each answer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from holdfast.agents.raters.protocol import Rating
from holdfast.agents.raters.sample import Sample


def samples_spread(samples: Sequence[Sample]) -> dict[str, float]:
    """Return the highest minus the lowest score per dimension, over the samples that have it."""
    names = dict.fromkeys(name for sample in samples for name in sample.scores)
    scores = {name: [sample.scores[name] for sample in samples if name in sample.scores] for name in names}
    return {name: max(values) - min(values) for name, values in scores.items()}


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """Counts of samples. ``asked = accepted + repaired + sum(refused)``.

    ``repaired_from``, ``refused``: by reason; a refused answer stands under the reason of its last attempt.
    ``passages`` of which ``missing`` have no usable sample; ``tokens``: prompt and completion.
    """

    passages: int
    missing: int
    asked: int
    accepted: int
    repaired: int
    repaired_from: dict[str, int]
    refused: dict[str, int]
    tokens: tuple[int, int]

    def as_dict(self) -> dict[str, Any]:
        prompt, completion = self.tokens
        return asdict(self) | {"tokens": {"prompt": prompt, "completion": completion}}


def count_answers(ratings: Sequence[Rating]) -> AnswerCounts:
    """Count the samples of ``ratings`` by what became of them."""
    samples = [sample for rating in ratings for sample in rating.samples]
    outcomes = Counter(sample.outcome for sample in samples)
    return AnswerCounts(
        passages=len(ratings),
        missing=sum(rating.missing is not None for rating in ratings),
        asked=len(samples),
        accepted=outcomes["accepted"],
        repaired=outcomes["repaired"],
        repaired_from=_counted(sample.first for sample in samples if sample.refused is None and sample.first),
        refused=_counted(sample.refused.reason for sample in samples if sample.refused is not None),
        tokens=(sum(rating.tokens[0] for rating in ratings), sum(rating.tokens[1] for rating in ratings)),
    )


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(reasons).items()))
