"""A model's chat template: what it makes of messages, and what it needs to know and to be told.

A template is a program that comes with a model. It may drop messages, refuse roles, read the clock, or never end; each
of these would be a wrong figure or a hang, so every question to a template is asked here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import count
from threading import Lock
from typing import Any

from jinja2 import nodes

from holdfast.agents.models.history import folded
from holdfast.agents.models.local.templates.bounds import TemplateBoundsError
from holdfast.agents.models.local.templates.sandbox import BoundedEnvironment
from holdfast.agents.models.local.templates.trial import endless, require_bounded
from holdfast.agents.models.spec import TODAY
from holdfast.agents.protocols import Message
from holdfast.core.errors import ModelError

_SHOWN = 60  # characters of a lost message
_MARK = "\ufdd0"  # a character that no text may hold, before and behind what the assistant says
_GENERATION = re.compile(r"\{%[-+]?\s*generation\b")
_GOES_ON = Message("user", "qvgoeson")  # behind a conversation, so that its last reply stands as the others do

Span = tuple[int, int]  # [start, end), in characters


class LostMessageError(ModelError):
    """A message of a request is not in the prompt."""


class TemplateRefusalError(ModelError):
    """A template takes no messages of this shape."""


class ChatTemplate:
    """A chat template. ``special``: the tokenizer's special tokens by name; ``name``: the model's, for errors."""

    def __init__(
        self, source: str, special: Mapping[str, Any], name: str, today: date = TODAY, *, fold: bool = False
    ) -> None:
        """Compile ``source``. ``fold``: it is given system messages inside the user's (:func:`~..history.folded`).

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
        self.reads_clock, self.today, self.fold = "strftime_now" in names, today, fold
        self._marks_replies = _GENERATION.search(source) is not None

    @classmethod
    def of(cls, tokenizer: Any, name: str, today: date = TODAY, *, fold: bool = False) -> "ChatTemplate":
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
        return cls(source, tokenizer.special_tokens_map, name, today, fold=fold)

    def text(self, messages: Sequence[Message], *, prompted: bool = True) -> str:
        """Return what the template makes of ``messages``, whether or not all of them are in it.

        ``prompted``: with the beginning of the assistant's next message.

        Raises:
            ModelError: the template refuses the messages, or does not end within bounds.
        """
        with self._lock:
            return self._render(messages, prompted)

    def with_spans(self, messages: Sequence[Message], ending: str = "") -> tuple[str, tuple[Span, ...]]:
        """Return what the template makes of ``messages``, and where in it stands what the assistant has to write.

        That is what a template marks by ``{% generation %}``. Where it marks nothing, it is all that follows the prompt
        for the reply, to the end of the reply and of ``ending`` behind it.

        Raises:
            ModelError: the template refuses the messages, changes what the assistant says, or does not end within
                bounds.
        """
        with self._lock:
            return self._marked(messages) if self._marks_replies else self._behind_prompts(messages, ending)

    def _marked(self, messages: Sequence[Message]) -> tuple[str, tuple[Span, ...]]:
        opening, closing = _marks_for(messages)
        self._environment.marks = opening, closing
        try:
            return _without_marks(self._render(messages, prompted=False), opening, closing)
        finally:
            self._environment.marks = "", ""

    def _behind_prompts(self, messages: Sequence[Message], ending: str) -> tuple[str, tuple[Span, ...]]:
        """As set, or as the beginning of a longer talk, where the last reply is set otherwise than the others."""
        prompts = [self._render(messages[:n], True) for n, said in enumerate(messages) if said.role == "assistant"]
        ways = []
        for more in ((), (_GOES_ON,)):
            text, said = self._where_said((*messages, *more), ending)
            follows = [text.startswith(prompt) for prompt in prompts]
            spans = tuple(
                (len(prompt) if behind else start, end)
                for prompt, behind, (start, end) in zip(prompts, follows, said, strict=True)
            )
            leads = {text[own:start] for (own, _), (start, _) in zip(spans, said, strict=True)}
            ways.append((text[: spans[-1][1]] if more and spans else text, spans))
            if all(follows) and len(leads) <= 1:
                return ways[-1]
        return ways[0]

    def _where_said(self, messages: Sequence[Message], ending: str) -> tuple[str, tuple[Span, ...]]:
        """The text, and where the words of each reply lie in it, with ``ending`` where that follows them."""
        opening, closing = _marks_for(messages)
        said = [
            Message(message.role, f"{opening}{message.content.strip()}{closing}")
            if message.role == "assistant"
            else message
            for message in messages
        ]
        text, spans = _without_marks(self._render(said, prompted=False), opening, closing)
        replies = [message.content.strip() for message in messages if message.role == "assistant"]
        if [text[start:end] for start, end in spans] != replies:
            raise ModelError(
                f"the chat template of {self._name} leaves out or changes what the assistant says, so nothing can be "
                "learned from it; put {% generation %} and {% endgeneration %} around the assistant's text in it"
            )
        return text, tuple((start, _behind(text, end, ending)) for start, end in spans)

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

    def bears(self, messages: Sequence[Message]) -> bool:
        """Return whether every one of ``messages`` arrives in the prompt, in their order.

        Raises:
            ModelError: the template does not end within bounds.
        """
        try:
            text = self.text(messages)
        except TemplateRefusalError:
            return False
        return first_lost([message.content for message in messages], text) is None

    def _render(self, messages: Sequence[Message], prompted: bool) -> str:
        plain = [message.as_dict() for message in (folded(messages) if self.fold else messages)]
        self._environment.work.allow(plain)
        try:
            return self._template.render(
                messages=plain, tools=None, documents=None, add_generation_prompt=prompted, **self._special
            )
        except TemplateBoundsError as error:
            raise ModelError(endless(self._name, str(error))) from error
        except Exception as error:  # a template is a program of its own and may raise anything
            raise TemplateRefusalError(f"the chat template of {self._name} refuses the messages: {error}") from error


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


def _marks_for(messages: Sequence[Message]) -> tuple[str, str]:
    """Return marks that stand in none of the messages."""
    said = "".join(message.content for message in messages)
    number = next(number for number in count() if f"{_MARK}{number}" not in said)
    return f"{_MARK}{number}<", f"{_MARK}{number}>"


def _without_marks(text: str, opening: str, closing: str) -> tuple[str, tuple[Span, ...]]:
    """Return the text without its marks, and what stood between them."""
    plain, *parts = text.split(opening)
    spans = []
    for part in parts:
        inside, _, after = part.partition(closing)
        spans.append((len(plain), len(plain) + len(inside)))
        plain += inside + after
    return plain, tuple(spans)


def _behind(text: str, end: int, ending: str) -> int:
    """Return where ``ending`` ends that follows ``end`` in the text, white space aside; ``end`` where none does."""
    rest = text[end:]
    after = len(rest) - len(rest.lstrip())
    return end + after + len(ending) if ending and rest.startswith(ending, after) else end


def _squeezed(text: str) -> str:
    return "".join(text.split())
