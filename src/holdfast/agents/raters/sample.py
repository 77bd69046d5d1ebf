"""One answer of a judge: its scores, or why it is not used, and the judge's own words with what they rest on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Order = Literal["forward", "reversed"]
Reason = Literal[
    "empty", "no_json", "cut_off", "copied", "no_mark", "contradictory", "incomplete", "not_a_number", "out_of_range",
    "not_rated", "declined", "server",
]  # fmt: skip
#: Reason -> what it means, for people and for the repair request.
REASONS: Mapping[Reason, str] = {
    "empty": "it is empty",
    "no_json": "it holds no JSON object that can be read",
    "cut_off": "it breaks off before the JSON object ends",
    "copied": "its JSON object is copied from the conversation",
    "no_mark": 'its JSON object lacks the right "id"',
    "contradictory": "it holds several answers that differ",
    "incomplete": "a key is absent",
    "not_a_number": "a value is no number",
    "out_of_range": "a value is outside the scale",
    "not_rated": "no dimension was rated",
    "declined": "the model declined to answer",
    "server": "the server did not answer",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an answer is not used. ``detail`` may quote the model: shortened, and escaped where it does not print."""

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail or REASONS[self.reason]}"


@dataclass(frozen=True, slots=True)
class Quote:
    """A passage that the judge says it rests on. ``message``: its number from 1, or None where no message holds it."""

    text: str
    message: int | None


@dataclass(frozen=True, slots=True)
class Description:
    """The judge's words and its quotes. Text from a model: escape it where it is shown."""

    words: str
    quotes: tuple[Quote, ...]

    @property
    def invented(self) -> int:
        """How many quotes stand nowhere in the conversation."""
        return sum(quote.message is None for quote in self.quotes)

    def __str__(self) -> str:
        return "\n".join([self.words, *(_line(quote) for quote in self.quotes)]).strip()


def _line(quote: Quote) -> str:
    where = "NOT IN THE CONVERSATION" if quote.message is None else f"message {quote.message}"
    return f"- {quote.text!r} ({where})"


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer. ``refused``: why it is not used, else None; ``first``: why it was asked for again."""

    order: Order
    scores: dict[str, float]
    refused: Refusal | None
    first: Reason | None
    tokens: tuple[int, int]
    description: Description | None = None

    @property
    def outcome(self) -> Literal["accepted", "repaired", "refused"]:
        if self.refused is not None:
            return "refused"
        return "accepted" if self.first is None else "repaired"
