"""A judgement in words with its evidence, kept beside the scores (after the free-text judgements of EmpathyEval).

A judge may invent its evidence: each quote is looked up in the conversation, and one that is not there is flagged.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.agents.protocols import Message
from holdfast.agents.raters.sample import Description, Quote

MAX_QUOTES, MAX_WORDS = 8, 4000  # quotes, and characters of the judgement, that are kept
#: Curly quotation marks, dashes and the ellipsis, as a judge or a user may type them.
_SAME = str.maketrans("\u201c\u201d\u201e\u2019\u2018\u2026\u2014\u2013", '"""\'\' --')


def read_description(answer: Mapping[str, Any], messages: Sequence[Message]) -> Description:
    """The description in an answer, its quotes looked up; empty where the judge gave none."""
    words, quotes = answer.get("judgement", answer.get("thought")), answer.get("quotes")
    texts = [str(text) for text in quotes if str(text).strip()] if isinstance(quotes, list) else []
    return Description(
        words[:MAX_WORDS].strip() if isinstance(words, str) else "",
        tuple(Quote(text, place(text, messages)) for text in texts[:MAX_QUOTES]),
    )


def place(quote: str, messages: Sequence[Message]) -> int | None:
    """The number, from 1, of the last message that holds ``quote``; capitals, blanks, quotation marks do not matter."""
    wanted = _bare(quote)
    holding = [number for number, message in enumerate(messages, 1) if wanted and wanted in _bare(message.content)]
    return holding[-1] if holding else None


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text.translate(_SAME)).casefold()
    return re.sub(r"\s+", " ", plain).strip(" .\"'-")
