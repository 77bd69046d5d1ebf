"""What became of a judge's answers: accepted at once, repaired, refused and why. Pure counting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from holdfast.agents.raters.judge.rater import Sample, Verdict


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
        return {
            "passages": self.passages,
            "missing": self.missing,
            "asked": self.asked,
            "accepted": self.accepted,
            "repaired": self.repaired,
            "repaired_from": self.repaired_from,
            "refused": self.refused,
            "tokens": {"prompt": self.tokens[0], "completion": self.tokens[1]},
        }


def fate(sample: Sample) -> str:
    """One word for one answer: ``accepted``, ``repaired`` or ``refused``."""
    if sample.refused is not None:
        return "refused"
    return "accepted" if sample.first is None else "repaired"


def count_answers(verdicts: Iterable[Verdict]) -> AnswerCounts:
    """Count the samples of ``verdicts`` by what became of them."""
    passages = missing = prompt = completion = 0
    fates: Counter[str] = Counter()
    repaired_from: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for verdict in verdicts:
        passages += 1
        missing += verdict.judgement.missing is not None
        prompt, completion = prompt + verdict.judgement.tokens[0], completion + verdict.judgement.tokens[1]
        for sample in verdict.samples:
            fates[fate(sample)] += 1
            if sample.refused is not None:
                refused[sample.refused.reason] += 1
            elif sample.first is not None:
                repaired_from[sample.first] += 1
    return AnswerCounts(
        passages,
        missing,
        fates.total(),
        fates["accepted"],
        fates["repaired"],
        dict(sorted(repaired_from.items())),
        dict(sorted(refused.items())),
        (prompt, completion),
    )
