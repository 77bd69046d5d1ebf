"""The Jinja environment that ``transformers`` gives to chat templates, but for three things.

Every loop, call and text that grows is counted, the clock stands still, and nothing is drawn at random.
"""

import json
import types
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import wraps
from typing import Any, cast

from jinja2 import nodes, pass_context
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from holdfast.agents.models.local.templates.bounds import A_STEP, LARGEST, TIMES, TemplateBoundsError, WorkCounter
from holdfast.agents.models.local.templates.counting import CountedRounds, CountingTransformer, hook_name

_HARMLESS = frozenset({"default", "d", "int", "float", "sum"})  # filters whose numbers are no widths
#: Filters that look at a list's items, and not into them.
_SHALLOW = frozenset(
    {
        *("attr", "batch", "count", "d", "default", "dictsort", "first", "groupby", "items", "last", "length", "list"),
        *("map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "sort", "sum"),
        "unique",
    }
)
_SLOW = frozenset({"wordwrap", "urlize", "striptags", "pprint"})  # their work grows faster than the text


class GenerationTag(Extension):
    """``{% generation %}``, around what the assistant says, has no effect on the text unless it is to be marked."""

    tags = {"generation"}  # noqa: RUF012 - as the base class has it

    def parse(self, parser: Parser) -> nodes.Node:
        """Return the body as a block of its own, as transformers does: what it sets is not seen outside."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("block_text"), [], [], body).set_lineno(line)

    def block_text(self, caller: Callable[[], str]) -> str:
        """Return the block's text, between the environment's marks where it has some."""
        opening, closing = cast(BoundedEnvironment, self.environment).marks
        return f"{opening}{caller()}{closing}"


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The environment that chat templates are written for, with counted work and a clock that stands at ``today``."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, today: date) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, loopcontrols])
        self.work = WorkCounter()
        self.marks = ("", "")  # put before and behind what the assistant says
        clock = datetime(today.year, today.month, today.day)
        self.globals |= {
            "raise_exception": _raise,
            "strftime_now": clock.strftime,
            "dict": _Dict(),
            "lipsum": _random,
        }
        self.filters |= {"tojson": _json, "random": _random}
        self.filters = {name: self._counted(name, filter) for name, filter in self.filters.items()}
        for hook in (self.tick, self.rounds, self.joined, self.searched):
            self.filters[hook_name(hook.__name__)] = hook
        self.finalize = self._printed

    # --- what compiled templates call --------------------------------------------------------------------------------

    @pass_context  # or it would be computed once, when the template is compiled
    def tick(self, context: Context, steps: int) -> bool:
        """Count ``steps``; True, so that it can stand in a condition."""
        self.work.count(steps)
        return True

    @pass_context
    def rounds(self, context: Context, items: Any, steps: int) -> Any:
        """Return what a loop goes through, counting ``steps`` for each round."""
        if isinstance(items, list | tuple | dict):
            self.work.count(len(items) * steps)
            return items
        return CountedRounds(self.work.count, items, steps)

    def joined(self, parts: list[Any]) -> str:
        """Return ``a ~ b ~ …``."""
        texts = [self._as_text(part) for part in parts]
        self.work.grow(sum(map(len, texts)))
        return "".join(texts)

    def searched(self, container: Any) -> Any:
        """Return what ``in`` looks through."""
        if isinstance(container, Sequence):
            self.work.count(1 + len(container) // A_STEP)
        return container

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function or method from a template."""
        self.work.count(1)
        if args and isinstance(obj, types.BuiltinMethodType):
            owner = obj.__self__
            if isinstance(owner, str | bytes | int):
                self.work.require_small(*args, *kwargs.values())
                self.work.require_room(obj.__name__, owner, args)
        try:
            return self._measured(super().call(context, obj, *args, **kwargs))
        except OverflowError as error:  # a range
            raise TemplateBoundsError(f"it counts further than {LARGEST:,}") from error

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute ``left operator right``."""
        if operator == "+" and type(left) is str and type(right) is str:  # by far the commonest
            return self._printed(left + right)
        if operator == "*":
            self.work.require_product(left, right)
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            self.work.require_bits(left.bit_length() * abs(right))
        elif operator == "%" and isinstance(left, str):
            self.work.require_format(left, right)
        return self._measured(self.binop_table[operator](left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return a bounded ``str.format``, where ``value`` is one."""
        format = super().wrap_str_format(value)
        if format is None:
            return None

        def bounded(*args: Any, **kwargs: Any) -> str:
            self.work.require_format(value.__self__, [*args, *kwargs.values()])
            return format(*args, **kwargs)

        return bounded

    # --- counting ----------------------------------------------------------------------------------------------------

    def _counted(self, name: str, filter: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``filter``, counted by what it reads and what it returns."""

        @wraps(filter)  # keeps the mark of those that are given the environment first
        def counted(*args: Any, **kwargs: Any) -> Any:
            if len(args) == 1 and type(args[0]) is str and not kwargs and name not in _SLOW:
                self.work.steps -= 1 + len(args[0]) // A_STEP
                return self._measured(filter(args[0]))
            values = [arg for arg in args if not isinstance(arg, Context | BoundedEnvironment | nodes.EvalContext)]
            settings = () if name in _HARMLESS else (*values[1:], *kwargs.values())
            numbers = [value for value in settings if isinstance(value, int)]
            self.work.require_small(*numbers)
            if values:
                subject = values[0]
                size = len(subject) if name in _SHALLOW and hasattr(subject, "__len__") else self.work.weight(subject)
                self.work.count(1 + (size if name in _SLOW else size // A_STEP))
                self.work.require_characters(size * max([1, *map(abs, numbers)]) // TIMES)
                self.work.require_room(name, subject, values[1:])
            return self._measured(filter(*args, **kwargs))

        return counted

    def _printed(self, value: Any) -> str:
        """Return an expression's text, as it is put into the prompt."""
        text = value if type(value) is str else self._as_text(value)
        self.work.characters -= len(text)
        if self.work.characters < 0:
            self.work.require_characters(0)
        return text

    def _as_text(self, value: Any) -> str:
        if not isinstance(value, str):
            self.work.weight(value)
        return str(value)

    def _measured(self, result: Any) -> Any:
        """Return ``result``, having counted its size; an iterator counts as it is read."""
        if isinstance(result, str | bytes | list | tuple):
            self.work.grow(len(result))
        elif isinstance(result, int):
            self.work.require_bits(result.bit_length())
        elif isinstance(result, types.GeneratorType):
            return iter(CountedRounds(self.work.count, result, 1))
        return result

    # --- compiling ---------------------------------------------------------------------------------------------------

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template: nodes.Template = CountingTransformer().visit(super()._parse(source, name, filename))
        return template


class _Dict:
    """``dict`` without the attributes of a class."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args, **kwargs)


def _raise(message: str) -> None:
    raise TemplateError(message)


def _random(*_: Any, **__: Any) -> None:
    raise TemplateError("it draws at random, so the same seed would give other words")


def _json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    """Return JSON that is not escaped for HTML, as transformers does."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
