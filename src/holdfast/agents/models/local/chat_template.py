"""A model's chat template: what it makes of messages, and what it needs to know and to be told.

A template is a program that comes with a model. It may drop messages, refuse roles, read the clock, or never end; each
of these would be a wrong figure or a hang, so every question to a template is asked here.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import count
from threading import Lock
from typing import Any

from jinja2 import nodes

from holdfast.agents.models.local.templates.bounds import TemplateBoundsError
from holdfast.agents.models.local.templates.sandbox import BoundedEnvironment
from holdfast.agents.models.local.templates.trial import endless, require_bounded
from holdfast.agents.models.spec import TODAY
from holdfast.agents.protocols import Message
from holdfast.core.errors import ModelError

_SHOWN = 60  # characters of a lost message
_MARK = "\ufdd0"  # a character that no text may hold, before and behind what the assistant says


class LostMessageError(ModelError):
    """A message of a request is not in the prompt."""


class ChatTemplate:
    """A chat template. ``special``: the tokenizer's special tokens by name; ``name``: the model's, for errors."""

    def __init__(self, source: str, special: Mapping[str, Any], name: str, today: date = TODAY) -> None:
        """Compile ``source``.

        Raises:
            ModelError: it is no template, or does not end within bounds.
        """
        self._special, self._name = dict(special), name
        require_bounded(source, json.dumps(self._special, sort_keys=True), name)
        environment = BoundedEnvironment(today)
        try:
            self._template = environment.from_string(source)
            names = {name.name for name in environment.parse(source).find_all(nodes.Name)}
        except Exception as error:  # of Jinja, and of Python, to which it is compiled
            raise ModelError(f"the chat template of {name} is no Jinja template: {error}") from error
        self._environment, self._lock = environment, Lock()
        self.reads_clock = "strftime_now" in names

    @classmethod
    def of(cls, tokenizer: Any, name: str, today: date = TODAY) -> "ChatTemplate":
        """Return the template of a transformers tokenizer.

        Raises:
            ModelError: it has none, or see above.
        """
        try:
            source = tokenizer.get_chat_template()
        except ValueError as error:  # none at all, or several of which none is the default
            raise ModelError(
                f"the tokenizer of {name} has no chat template, so it cannot hold a conversation"
            ) from error
        return cls(source, tokenizer.special_tokens_map, name, today)

    def text(self, messages: Sequence[Message], *, prompted: bool = True) -> str:
        """Return what the template makes of ``messages``, whether or not all of them are in it.

        ``prompted``: with the beginning of the assistant's next message.

        Raises:
            ModelError: the template refuses the messages, or does not end within bounds.
        """
        with self._lock:
            return self._render(messages, prompted)

    def with_spans(self, messages: Sequence[Message]) -> tuple[str, tuple[tuple[int, int], ...]]:
        """Return what the template makes of ``messages``, and where in it the assistant's words lie.

        Each span [start, end) counts characters; the template marks them by ``{% generation %}``.

        Raises:
            ModelError: the template refuses the messages, or does not end within bounds.
        """
        said = "".join(message.content for message in messages)
        number = next(number for number in count() if f"{_MARK}{number}" not in said)
        opening, closing = f"{_MARK}{number}<", f"{_MARK}{number}>"
        with self._lock:
            self._environment.marks = opening, closing
            try:
                text = self._render(messages, prompted=False)
            finally:
                self._environment.marks = "", ""
        plain, *parts = text.split(opening)
        spans = []
        for part in parts:
            inside, _, after = part.partition(closing)
            spans.append((len(plain), len(plain) + len(inside)))
            plain += inside + after
        return plain, tuple(spans)

    def prompt(self, messages: Sequence[Message]) -> str:
        """Return the prompt for the assistant's next message.

        Raises:
            LostMessageError: a system message, or the user's last one, is not in it.
            ModelError: the template refuses the messages, or does not end within bounds.
        """
        text = self.text(messages)
        last = max((number for number, message in enumerate(messages) if message.role == "user"), default=-1)
        needed = [number for number, message in enumerate(messages) if message.role == "system" or number == last]
        lost = first_lost([messages[number].content for number in needed], text)
        if lost is not None:
            number = needed[lost]
            message = messages[number]
            shown = " ".join(message.content.split())
            shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
            raise LostMessageError(
                f"the chat template of {self._name} drops the {message.role} message “{shown}” "
                f"({number + 1} of {len(messages)}): the model would never see it"
            )
        return text

    def _render(self, messages: Sequence[Message], prompted: bool) -> str:
        plain = [message.as_dict() for message in messages]
        self._environment.work.allow(plain)
        try:
            return self._template.render(
                messages=plain, tools=None, documents=None, add_generation_prompt=prompted, **self._special
            )
        except TemplateBoundsError as error:
            raise ModelError(endless(self._name, str(error))) from error
        except Exception as error:  # a template is a program of its own and may raise anything
            raise ModelError(f"the chat template of {self._name} refuses the messages: {error}") from error


def first_lost(contents: Sequence[str], text: str) -> int | None:
    """Return which of ``contents`` is not in the prompt ``text``, one after the other; None: all are.

    White space does not count, nor how JSON would spell a message: some templates trim or quote.
    """
    place, squeezed = 0, ""
    for number, whole in enumerate(contents):
        content = whole.strip()
        at = -1 if squeezed else text.find(content, place)
        if at >= 0:
            place = at + len(content)
            continue
        if not squeezed:
            squeezed, place = _squeezed(text), len(_squeezed(text[:place]))
        spellings = (_squeezed(content), _squeezed(json.dumps(content, ensure_ascii=False)[1:-1]))
        ends = [at + len(words) for words in spellings if (at := squeezed.find(words, place)) >= 0]
        if not ends:
            return number
        place = min(ends)
    return None


def _squeezed(text: str) -> str:
    return "".join(text.split())
