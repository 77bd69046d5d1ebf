"""Whole chats that the person who chatted labelled afterwards: iEval and ESConv.

iEval: chats with four chatbots (Svikhnushina, Filippova and Pu 2022, "iEval: Interactive Evaluation Framework for
Open-Domain Empathetic Chatbots", SIGDIAL; CC BY 4.0). EU is "understood my emotions", ER "responded to my emotions
appropriately", 1-5 each; their mean is the authors' empathy.

ESConv: failed dialogues of people who support people, labelled by the person who was supported (Liu et al. 2021,
"Towards Emotional Support Dialog Systems", ACL; CC BY-NC 4.0, for research). No rater is fitted on them: they tell how
far one fitted on short chatbots gets with people who write twenty messages. All of them went badly, so labels crowd at
the low end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from holdfast.agents.protocols import Message
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.protocol import FELT, PERCEIVED, Passage
from holdfast.core.errors import DataError
from holdfast.core.reading.tables import labelled_rows
from holdfast.simulator.measure.arrays import Ints

IEVAL = Path("ieval") / "conversations.csv"
ESCONV = Path("esconv_failed") / "conversations.jsonl"
#: holdfast's assumption: which dimension of SENSE-7 each of iEval's questions asks for. The other five have no label;
#: in ESConv the seeker's one rating of empathy stands for both.
DIMENSIONS = {"EU": "affective_understanding", "ER": "response_appropriateness"}
_COLUMNS = ("conversation_id", "part", "bot", "EU", "ER", "messages")
_ESCONV_COLUMNS = ("conversation_id", "messages", "seeker_empathy")
_STARS = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class LabelledChats:
    """n chats. ``labelled``: their labels, whose mean is the truth; ``bots``: (n) which chatbot, empty if unknown."""

    labelled: Labelled
    bots: tuple[str, ...] = ()

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many characters the replies of each chat have together."""
        chats = [passage.messages for passage in self.labelled.passages]
        return tuple(sum(len(line.content) for line in chat if line.role == "assistant") for chat in chats)

    def rows(self, chosen: Ints) -> LabelledChats:
        """The chats of these numbers only."""
        return LabelledChats(self.labelled.rows(chosen), tuple(self.bots[int(i)] for i in chosen) if self.bots else ())

    def overall(self) -> LabelledChats:
        """The same chats with one label each, the mean of the questions, on the scale of felt empathy."""
        labels = self.labelled.labels.mean(axis=1, keepdims=True)
        return replace(self, labelled=replace(self.labelled, scale=FELT, dimensions=FELT.dimensions, labels=labels))


class _Chat(NamedTuple):
    person: str
    messages: tuple[Message, ...]
    labels: Sequence[float]
    bot: str = ""


def read_ieval(data: Path) -> LabelledChats:
    """Read ``data/ieval/conversations.csv``, or .jsonl or .parquet.

    Raises:
        DataError: it is absent, or a row is malformed.
    """
    chats = [_ieval_chat(row, place) for place, row in labelled_rows(data / IEVAL, _COLUMNS)]
    if not chats:
        raise DataError(f"{data / IEVAL}: holds no chat.")
    return LabelledChats(_labelled("ieval", chats), tuple(chat.bot for chat in chats))


def read_esconv(data: Path) -> LabelledChats:
    """The rated dialogues of ``data/esconv_failed``. Raises :class:`DataError` where absent or a line is malformed."""
    path = data / ESCONV
    dialogues = [_esconv_chat(row, place) for place, row in labelled_rows(path, _ESCONV_COLUMNS)]
    rated = [dialogue for dialogue in dialogues if dialogue is not None]
    if not rated:
        raise DataError(f"{path}: holds no rated dialogue.")
    return LabelledChats(_labelled("esconv", rated))


def _labelled(name: str, chats: Sequence[_Chat]) -> Labelled:
    return Labelled(
        id=name,
        scale=PERCEIVED,
        passages=tuple(Passage(chat.messages, whole=True) for chat in chats),
        people=tuple(chat.person for chat in chats),
        dimensions=tuple(DIMENSIONS.values()),
        labels=np.array([chat.labels for chat in chats]),
        population=name,
    )


def _ieval_chat(row: dict[str, str], place: str) -> _Chat:
    for column in DIMENSIONS:
        if row[column] not in _STARS:
            raise DataError(f"{place}: {column} is {row[column]!r}; allowed: {', '.join(_STARS)}.")
    try:
        messages = tuple(Message(each["role"], str(each["content"])) for each in json.loads(row["messages"]))
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{place}: messages are no JSON list of role and content ({error}).") from error
    if not any(message.role == "assistant" for message in messages):
        raise DataError(f"{place}: the chat has no message of the assistant.")
    return _Chat(row["part"], messages, [float(row[column]) for column in DIMENSIONS], row["bot"])


def _esconv_chat(row: dict[str, str], place: str) -> _Chat | None:
    """None where the seeker gave no rating."""
    try:
        label = row["seeker_empathy"]
        messages = tuple(Message(each["role"], str(each["content"])) for each in json.loads(row["messages"]))
        name = str(row["conversation_id"])
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{place}: no dialogue with conversation_id, messages and seeker_empathy ({error}).") from error
    if not label:
        return None
    if str(label) not in _STARS:
        raise DataError(f"{place}: seeker_empathy is {label!r}; allowed: {', '.join(_STARS)}, null.")
    return _Chat(name, messages, [float(label)] * len(DIMENSIONS))
