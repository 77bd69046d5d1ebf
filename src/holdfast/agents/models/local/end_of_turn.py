"""What ends a reply, read from the chat template: the token, or the text, that it puts behind what the assistant says.

A model that was fine-tuned on a template learned to write that token; the tokenizer's own end of text is often another
(ChatML fine-tunes of base models). A model that is not stopped there goes on with the user's next message.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.protocols import Message
from holdfast.core.errors import ModelError

_ASKED, _ANSWERED, _GOES_ON = "qvasked", "qvanswered", "qvgoeson"  # words that no template has in it
LEAST_TEXT, MOST_TEXT = 2, 200  # characters of an ending; fewer would cut ordinary text
MORE_TOKENS = 64  # that may follow an ending before it is looked for: see the engine's look-ahead


@dataclass(frozen=True, slots=True)
class EndingText:
    """A text that ends a reply, such as ``USER:`` at the beginning of a line. ``tokens``: it has this many at most."""

    pattern: re.Pattern[str]
    tokens: int

    def start(self, text: str) -> int | None:
        """Return where the ending begins in ``text``; None where there is none."""
        match = self.pattern.search(text)
        return None if match is None else match.start()

    def is_in(self, written: list[int], decode: Callable[[list[int]], str]) -> bool:
        """Return whether a reply that has not ended before its last tokens has ended."""
        tail = written[-self.tokens - MORE_TOKENS :]
        cut = "" if len(tail) == len(written) else "…"  # only the reply's own beginning is one
        text = cut + decode(tail)
        match = self.pattern.search(text)
        # a word at the very end may be the beginning of a longer one
        return match is not None and (match.end() < len(text) or not text[-1].isalnum())


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """``ids`` of the tokens that end a reply, none where only a ``text`` does; both empty where nothing does.

    ``written``: how the template writes it, without white space around.
    """

    ids: frozenset[int] = frozenset()
    text: EndingText | None = None
    written: str = ""


def end_of_turn(template: ChatTemplate, tokenizer: Any) -> EndOfTurn:
    """Return what ``template`` puts behind an assistant's text, white space aside.

    Where it puts nothing behind a last message, what it puts between that and the user's next one counts. Added tokens
    count whether or not they are marked as special.
    """
    after = behind_reply(template)
    if not after:
        return EndOfTurn()
    token = _token(after.lstrip(), tokenizer)
    if token is None:
        return EndOfTurn(text=_ending(after), written=after.strip().splitlines()[0].strip())
    return EndOfTurn(frozenset({token}), written=tokenizer.added_tokens_decoder[token].content.strip())


def behind_reply(template: ChatTemplate) -> str:
    """Return what ``template`` puts behind an assistant's text, to the user's next; empty where it is white space."""
    talk = (Message("user", _ASKED), Message("assistant", _ANSWERED))
    for messages in (talk, (*talk, Message("user", _GOES_ON))):
        try:
            text = template.text(messages, prompted=False)
        except ModelError:  # some do not take a conversation that ends with the assistant
            continue
        _, answered, after = text.rpartition(_ANSWERED)
        after = after.partition(_GOES_ON)[0]
        if answered and after.strip():
            return after
    return ""


def _token(text: str, tokenizer: Any) -> int | None:
    """Return the longest added token that ``text`` begins with."""
    tokens = [
        (len(token.content), number)
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.content.strip() and number != tokenizer.unk_token_id and text.startswith(token.content.strip())
    ]
    return max(tokens)[1] if tokens else None


def _ending(behind: str) -> EndingText | None:
    """Return the text as a pattern; where it begins a line or a word in ``behind``, it must do so in a reply.

    Only its first line counts: what follows is the next speaker's business.
    """
    text = behind.strip().splitlines()[0].strip()
    if not LEAST_TEXT <= len(text) <= MOST_TEXT:
        return None
    space = behind[: len(behind) - len(behind.lstrip())]
    before = r"(?:\A|\n)\s*" if "\n" in space else r"(?:\A|\s)\s*" if space else ""
    after = r"(?!\w)" if text[-1].isalnum() else ""
    return EndingText(re.compile(before + re.escape(text) + after), len(text.encode()))
