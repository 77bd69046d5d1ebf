"""Render messages to tokens without tokenising a conversation's earlier turns again.

The template renders the whole text at every turn, so one that rewrites history (that drops earlier thinking, for
instance) is followed. Only tokenising is saved: the text is cut at the last special token that it shares with the
conversation's text of the turn before, and the rest is tokenised. This is exact where a special token bounds the
tokenisation of the text before it, which is checked when the tokenizer is loaded.
"""

from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.protocols import Message
from holdfast.core.errors import ModelError

KEPT = 1024  # conversations whose last text is cached; the others are tokenised whole

Ids = NDArray[np.int64]

_PROBE = (
    Message("user", "Hello there, it's  me:\n 3 things (too much)\tto do!"),
    Message("assistant", "  Sorry to hear that. Naïve?\n\n- one\n- two 😀"),
    Message("user", "yes"),
    Message("assistant", "Mm."),
    Message("user", "And then… "),
)


class Renderer:
    """Renders conversations with a chat template, and tokenises them. ``kept``: see :data:`KEPT`."""

    def __init__(self, tokenizer: Any, template: ChatTemplate, kept: int = KEPT) -> None:
        self._tokenizer, self._template, self._kept = tokenizer, template, kept
        self._known: OrderedDict[str, tuple[str, Ids]] = OrderedDict()  # a text up to its last mark, and its tokens
        self._marks = _marks(tokenizer)
        if not self._cuts_are_clean():
            self._marks = {}

    def tokens(self, key: str, messages: tuple[Message, ...]) -> Ids:
        """Return the prompt for the next assistant message, (tokens,).

        What is cached under ``key``, the conversation's name, saves work and does not change the result.

        Raises:
            ModelError: the template refuses the messages, or drops one that the model must see.
        """
        text = self._template.prompt(messages)
        start, known = self._known.pop(key, ("", None))
        if known is None or not text.startswith(start):
            ids = self._tokenise(text)
        else:
            ids = np.concatenate([known, self._tokenise(text[len(start) :])])
        self._remember(key, text, ids)
        return ids

    def _remember(self, key: str, text: str, ids: Ids) -> None:
        last = next((place for place in reversed(range(len(ids))) if int(ids[place]) in self._marks), None)
        if last is None:
            return
        self._known[key] = text[: text.rindex(self._marks[int(ids[last])])], ids[:last]
        while len(self._known) > self._kept:
            self._known.popitem(last=False)

    def _tokenise(self, text: str) -> Ids:
        encoded = self._tokenizer(text, add_special_tokens=False, return_attention_mask=False, verbose=False)
        return np.array(encoded["input_ids"], dtype=np.int64)

    def _cuts_are_clean(self) -> bool:
        """Return whether a probe text, cut before each special token, has the tokens of the whole."""
        try:
            text = self._template.text(_PROBE)
        except ModelError:
            return False
        ids, end = self._tokenise(text), 0
        for place, token in enumerate(ids.tolist()):
            if token not in self._marks:
                continue
            start = text.find(self._marks[token], end)
            if start < 0:
                return False
            end = start + len(self._marks[token])
            parts = (self._tokenise(text[:start]), self._tokenise(text[start:]))
            if not (np.array_equal(parts[0], ids[:place]) and np.array_equal(parts[1], ids[place:])):
                return False
        return end > 0


def _marks(tokenizer: Any) -> dict[int, str]:
    """Return, by id, the special tokens that do not absorb surrounding text, as a template spells them."""
    return {
        number: token.content
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.special
        and number != tokenizer.unk_token_id  # it stands for other texts
        and not (token.lstrip or token.rstrip or token.single_word or token.normalized)
    }
