"""Reads ESConv's failed dialogues: people supporting people, labelled by the person who was supported.

Liu et al. (2021), "Towards Emotional Support Dialog Systems", ACL; CC BY-NC 4.0, for research. No rater is fitted on
them: they tell how far one fitted on short chatbots gets with people who write twenty messages. All of them went badly,
so labels crowd at the low end.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.agents.protocols import Message
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.protocol import PERCEIVED, Passage
from holdfast.core.errors import DataError
from holdfast.simulator.validation.chats import LabelledChats, reply_characters

FILE = Path("esconv_failed") / "conversations.jsonl"
#: The seeker's one rating of empathy stands for both dimensions that iEval's questions do: holdfast's assumption.
DIMENSIONS = ("affective_understanding", "response_appropriateness")


def read_esconv(data: Path) -> LabelledChats:
    """The rated dialogues of ``data/esconv_failed``. Raises :class:`DataError` where absent or a line is malformed."""
    path = data / FILE
    try:
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}). See --data and the data set's README.") from error
    dialogues = [_dialogue(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]
    rated = [dialogue for dialogue in dialogues if dialogue is not None]
    if not rated:
        raise DataError(f"{path}: holds no rated dialogue.")
    return LabelledChats(
        Labelled(
            id="esconv",
            scale=PERCEIVED,
            passages=tuple(Passage(messages, whole=True) for _, messages, _ in rated),
            people=tuple(name for name, *_ in rated),
            dimensions=DIMENSIONS,
            labels=np.array([[label] * len(DIMENSIONS) for *_, label in rated]),
            population="esconv",
        ),
        lengths=tuple(reply_characters(messages) for _, messages, _ in rated),
    )


def _dialogue(line: str, place: str) -> tuple[str, tuple[Message, ...], float] | None:
    """Name, messages and label; None where the seeker gave no rating."""
    try:
        row: dict[str, Any] = json.loads(line)
        label = row["seeker_empathy"]
        messages = tuple(Message(each["role"], str(each["content"])) for each in row["messages"])
        name = str(row["conversation_id"])
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{place}: no dialogue with conversation_id, messages and seeker_empathy ({error}).") from error
    if label is None:
        return None
    if str(label) not in {"1", "2", "3", "4", "5"}:
        raise DataError(f"{place}: seeker_empathy is {label!r}; allowed: 1, 2, 3, 4, 5, null.")
    return name, messages, float(label)
