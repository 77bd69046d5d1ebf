"""A model's chat template: what it makes of messages, and what it needs to know and to be told.

A template is a program that comes with a model. It may drop messages, refuse roles, read the clock, or never end; each
of these would be a wrong figure or a hang, so every question to a template is asked here.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import TemplateError, meta

from holdfast.agents.models.local import template_sandbox
from holdfast.agents.models.local.template_sandbox import SECONDS, BoundedEnvironment
from holdfast.agents.protocols import Message
from holdfast.core.errors import ModelError

#: What templates that ask for the date are told, unless a study says otherwise: the same words tomorrow.
TODAY = date(2025, 1, 1)
LONGEST_SOURCE = 1_000_000  # characters
PATIENCE_S = 30  # for the process that tries a template, on a machine that is busy
_SHOWN = 60  # characters of a lost message

_TURN = ({"role": "user", "content": "Hello, it's me."}, {"role": "assistant", "content": "I see. What happened?"})
_SYSTEM = {"role": "system", "content": "Be kind."}
_TRIED = (
    _TURN[:1],
    (_SYSTEM, *_TURN[:1]),
    (*_TURN, *_TURN[:1]),
    (_SYSTEM, *_TURN, _SYSTEM, *_TURN[:1]),
    (_SYSTEM, *(_TURN * 24), *_TURN[:1]),
)


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
            variables = meta.find_undeclared_variables(environment.parse(source))
        except (TemplateError, ValueError, RecursionError, MemoryError, OverflowError) as error:
            raise ModelError(f"the chat template of {name} is no Jinja template: {error}") from error
        self._environment, self._lock = environment, Lock()
        self.reads_clock = "strftime_now" in variables

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
        plain = [message.as_dict() for message in messages]
        with self._lock:
            self._environment.allow(plain)
            try:
                return self._template.render(
                    messages=plain, tools=None, documents=None, add_generation_prompt=prompted, **self._special
                )
            except template_sandbox.TemplateBoundsError as error:
                raise ModelError(_endless(self._name, str(error))) from error
            except Exception as error:  # a template is a program of its own and may raise anything
                raise ModelError(f"the chat template of {self._name} refuses the messages: {error}") from error

    def prompt(self, messages: Sequence[Message]) -> str:
        """Return the prompt for the assistant's next message.

        Raises:
            LostMessageError: a system message, or the user's last one, is not in it.
            ModelError: the template refuses the messages, or does not end within bounds.
        """
        text = self.text(messages)
        lost = first_lost(messages, text)
        if lost is not None:
            message = messages[lost]
            shown = " ".join(message.content.split())
            shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
            raise LostMessageError(
                f"the chat template of {self._name} drops the {message.role} message “{shown}” "
                f"({lost + 1} of {len(messages)}): the model would never see it"
            )
        return text


def first_lost(messages: Sequence[Message], text: str) -> int | None:
    """Return which system message, or last user message, is not in the prompt ``text`` in its order; None: all are.

    White space does not count, nor how JSON would spell the message: some templates trim or quote.
    """
    last = max((number for number, message in enumerate(messages) if message.role == "user"), default=-1)
    place, squeezed = 0, ""
    for number, message in enumerate(messages):
        if message.role != "system" and number != last:
            continue
        content = message.content.strip()
        at = text.find(content, place)
        if at >= 0 and not squeezed:
            place = at + len(content)
            continue
        if not squeezed:
            squeezed, place = _squeezed(text), len(_squeezed(text[:place]))
        spellings = {_squeezed(spelling) for spelling in (content, json.dumps(content, ensure_ascii=False)[1:-1])}
        ends = [at + len(words) for words in spellings if (at := squeezed.find(words, place)) >= 0]
        if not ends:
            return number
        place = min(ends)
    return None


def _squeezed(text: str) -> str:
    return "".join(text.split())


@lru_cache(maxsize=64)
def require_bounded(source: str, special: str, name: str) -> None:
    """Try a template in a process of its own, whose time and memory are limited. ``special``: tokens as JSON.

    Raises:
        ModelError: it does not end within bounds.
    """
    if len(source) > LONGEST_SOURCE:
        raise ModelError(f"the chat template of {name} has {len(source):,} characters, {LONGEST_SOURCE:,} at most")
    request = {"source": source, "special": json.loads(special), "today": TODAY.isoformat(), "shapes": _TRIED}
    file = Path(template_sandbox.__file__)
    try:
        trial = subprocess.run(
            [sys.executable, "-P", str(file)],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(_endless(name, f"it takes more than {PATIENCE_S} seconds")) from error
    why = trial.stdout.strip() or (f"it takes more than {SECONDS} seconds" if trial.returncode < 0 else "")
    if why:
        raise ModelError(_endless(name, why))


def _endless(name: str, why: str) -> str:
    return f"the chat template of {name} does not end within bounds ({why}); give the model another chat_template.jinja"
