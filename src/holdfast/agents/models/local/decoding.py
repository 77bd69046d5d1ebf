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
from holdfast.agents.models.local.end_of_turn import EndingText
from holdfast.agents.protocols import Generation

OPENING = 24  # tokens that may open or close a thought


class Decoder:
    """Decodes what a model with this tokenizer wrote, up to the token or the text that ends a reply."""

    def __init__(self, tokenizer: Any, stop_ids: frozenset[int], ending: EndingText | None = None) -> None:
        self._tokenizer, self._stop_ids, self._ending = tokenizer, stop_ids, ending
        self._special = {
            number: token.content for number, token in tokenizer.added_tokens_decoder.items() if token.special
        }

    def generation(
        self, prompt: NDArray[np.int64], written: Sequence[int], *, stopped: bool, constrained: bool = False
    ) -> Generation:
        """Return the answer to ``prompt``, (tokens,).

        ``stopped``: it ended by itself. ``constrained``: it kept to a schema, whose texts may hold what ends a reply.
        """
        decode, opened = self._tokenizer.decode, self.opened(prompt)
        said = written[:-1] if written[-1] in self._stop_ids else written  # it need not be special, and would be seen
        until = str if constrained else self._said
        split = split_thoughts(until(decode(said, skip_special_tokens=True)), opened=opened)
        marks = {self._special[token] for token in said if token in self._special}
        if marks:
            marked = split_thoughts(until(decode(said, skip_special_tokens=False)), opened=opened)
            speech, thoughts = _without(marks, marked.speech), _without(marks, marked.thoughts)
            if speech.split() != split.speech.split():
                split = marked._replace(speech=speech, thoughts=thoughts)
        content = MessageContent(split.speech, split.thoughts, tool_calls=split.tool_calls)
        return generation_of(content, "stop" if stopped else "length", len(prompt), len(written))

    def opened(self, prompt: NDArray[np.int64]) -> bool:
        """Return whether ``prompt``, (tokens,), ends within a thought, so that what is written goes on with it."""
        return opens_thought(self._tokenizer.decode(prompt[-OPENING:].tolist(), skip_special_tokens=False))

    def _said(self, text: str) -> str:
        """Return the text before the one that ends a reply."""
        return text if self._ending is None else text[: self._ending.start(text)]


def _without(marks: set[str], text: str) -> str:
    for mark in marks:
        text = text.replace(mark, "")
    return text
