"""Turn generated tokens into an answer: its text, with the thoughts that special tokens set apart.

Decoding drops special tokens, and with them the marks of thoughts and turns (``[THINK]``, Harmony's channels). So where
a model wrote some, the text is split with them in place; and where its prompt opened a thought already, the text begins
within it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.agents.message_content import MessageContent, opens_thought, split_thoughts
from holdfast.agents.models.generations import generation_of
from holdfast.agents.protocols import Generation

_OPENING = 24  # tokens at the end of a prompt that may open a thought


class Decoder:
    """Decodes what a model with this tokenizer wrote."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._special = {
            number: token.content for number, token in tokenizer.added_tokens_decoder.items() if token.special
        }

    def generation(self, prompt: NDArray[np.int64], written: Sequence[int], *, stopped: bool) -> Generation:
        """Return the answer to ``prompt``, (tokens,); ``stopped``: its last token is one that ends a turn."""
        decode = self._tokenizer.decode
        opened = opens_thought(decode(prompt[-_OPENING:].tolist(), skip_special_tokens=False))
        text = decode(written, skip_special_tokens=True)
        split = split_thoughts(text, opened=opened)
        said = written[:-1] if stopped else written
        marks = {self._special[token] for token in said if token in self._special}
        if marks:
            marked = split_thoughts(decode(said, skip_special_tokens=False), opened=opened)
            speech, thoughts = _without(marks, marked.speech), _without(marks, marked.thoughts)
            if speech.split() != split.speech.split():
                split = marked._replace(speech=speech, thoughts=thoughts)
        content = MessageContent(split.speech, split.thoughts, tool_calls=split.tool_calls)
        return generation_of(content, "stop" if stopped else "length", len(prompt), len(written))


def _without(marks: set[str], text: str) -> str:
    for mark in marks:
        text = text.replace(mark, "")
    return text
