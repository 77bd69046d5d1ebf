"""Reads iEval: chats with four chatbots, each labelled by the person who chatted.

Svikhnushina, Filippova and Pu (2022), "iEval: Interactive Evaluation Framework for Open-Domain Empathetic Chatbots",
SIGDIAL; CC BY 4.0. EU is "understood my emotions", ER "responded to my emotions appropriately", 1-5 each; their mean is
the authors' empathy.
"""

import csv
import json
from pathlib import Path

import numpy as np

from holdfast.agents.protocols import Message
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.protocol import PERCEIVED, Passage
from holdfast.core.errors import DataError
from holdfast.simulator.validation.chats import LabelledChats

FILE = Path("ieval") / "conversations.csv"
COLUMNS = ("conversation_id", "part", "bot", "EU", "ER", "messages")
#: holdfast's assumption: which dimension of SENSE-7 each of iEval's questions asks for. The other five have no label.
DIMENSIONS = {"EU": "affective_understanding", "ER": "response_appropriateness"}


def read_ieval(data: Path) -> LabelledChats:
    """Read ``data/ieval/conversations.csv``. Raises :class:`DataError` where it is absent or a row is malformed."""
    path = data / FILE
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            absent = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if absent:
                raise DataError(f"{path}:1: columns absent: {', '.join(absent)}. Expected: {', '.join(COLUMNS)}.")
            chats = [_chat(row, f"{path}:{rows.line_num}") for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}). See --data and the data set's README.") from error
    if not chats:
        raise DataError(f"{path}: holds no chat.")
    return LabelledChats(
        Labelled(
            id="ieval",
            scale=PERCEIVED,
            passages=tuple(Passage(messages, whole=True) for messages, *_ in chats),
            people=tuple(person for _, person, *_ in chats),
            dimensions=tuple(DIMENSIONS.values()),
            labels=np.array([labels for *_, labels in chats]),
            population="ieval",
        ),
        bots=tuple(bot for _, _, bot, _ in chats),
        lengths=tuple(
            sum(len(message.content) for message in messages if message.role == "assistant") for messages, *_ in chats
        ),
    )


def _chat(row: dict[str, str], place: str) -> tuple[tuple[Message, ...], str, str, list[float]]:
    if None in row or None in row.values():
        raise DataError(f"{place}: the row has too few or too many columns.")
    labels = []
    for column in DIMENSIONS:
        if row[column] not in {"1", "2", "3", "4", "5"}:
            raise DataError(f"{place}: {column} is {row[column]!r}; allowed: 1, 2, 3, 4, 5.")
        labels.append(float(row[column]))
    return _messages(row["messages"], place), row["part"], row["bot"], labels


def _messages(text: str, place: str) -> tuple[Message, ...]:
    try:
        messages = tuple(Message(message["role"], str(message["content"])) for message in json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{place}: messages are no JSON list of role and content ({error}).") from error
    if not any(message.role == "assistant" for message in messages):
        raise DataError(f"{place}: the chat has no message of the assistant.")
    return messages
