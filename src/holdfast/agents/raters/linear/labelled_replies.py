"""Reads labelled replies of assistants, to fit the linear rater on beside EPITOME's of Reddit's peers.

One JSON object a line: ``context`` (replies to one context stay in one fold), ``messages`` (role and content, the
user's last), ``reply``, ``levels`` (one mapping of mechanism to 0-2 a pass of the labeller, the first one counts), and
``earned_by`` (mechanism to the sentences that earned a level above 0). Other fields are kept for readers of the file.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from holdfast.agents.raters.linear.epitome_pairs import EpitomePair
from holdfast.core.jsonl import read_lines
from holdfast.personas.schema import MECHANISMS

CONTEXTS = "contexts of assistants' replies"  # the population that their ids belong to
Level = Annotated[int, Field(ge=0, le=2)]


class MessageLine(BaseModel):
    """A message of the context."""

    role: str
    content: str


class Levels(BaseModel):
    """One pass over a reply."""

    emotional_reaction: Level
    interpretation: Level
    exploration: Level

    @property
    def in_order(self) -> tuple[int, int, int]:
        """In the order of ``MECHANISMS``."""
        return self.emotional_reaction, self.interpretation, self.exploration


class LabelledReply(BaseModel):
    """A line of the file."""

    context: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[MessageLine], Field(min_length=1)]
    reply: Annotated[str, Field(min_length=1)]
    levels: Annotated[list[Levels], Field(min_length=1)]
    earned_by: dict[str, list[str]] = {}

    def as_pair(self) -> EpitomePair:
        """The reply as fitting takes it."""
        rationales = tuple(tuple(self.earned_by.get(name, ())) for name in MECHANISMS)
        post = self.messages[-1].content
        return EpitomePair(f"{CONTEXTS}: {self.context}", self.reply, self.levels[0].in_order, rationales, post)


def read_labelled_replies(path: Path) -> list[EpitomePair]:
    """Read the labelled replies of a file.

    Raises:
        InputError: It cannot be read, is empty, or a line is no labelled reply; with the lines' numbers.
    """
    return [line.as_pair() for line in read_lines(path, LabelledReply, "holds no labelled reply", 5)]
