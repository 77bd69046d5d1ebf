"""Run a chat template, which is a program of a foreign author, within bounds of work and memory.

The Jinja environment is the one that ``transformers`` gives to templates, but for three things: every loop, call and
text that grows is counted, the clock stands still, and nothing is drawn at random. Counting is deterministic, so the
same template is refused at the same place on every machine.

This file stands alone: :func:`holdfast.agents.models.local.chat_template.require_bounded` runs it as a script, in a
process whose time and memory the operating system limits, before a template is compiled anywhere else.
"""

import json
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import wraps
from typing import Any

from jinja2 import Template, nodes, pass_context
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

STEPS, STEPS_A_PAIR = 200_000, 50  # of one rendering: whatever is sent, and for each pair of its messages
CHARACTERS, TIMES = 1_000_000, 50  # of one rendering's texts: whatever is sent, and for each of its characters
TIMES_A_MESSAGE = 4  # as above, for each message: some templates add every message to a growing text
A_STEP = 64  # characters or items that one step may move
LARGEST = 100_000  # number that a method or filter may be given, such as a width
BITS = 4096  # of a whole number
SECONDS, BYTES = 4, 1 << 30  # of the process that tries a template
_HARMLESS = frozenset({"default", "d", "int", "float", "sum"})  # filters whose numbers are no widths
#: Filters that look at a list's items, and not into them.
_SHALLOW = frozenset(
    [
        "attr",
        "batch",
        "count",
        "d",
        "default",
        "dictsort",
        "first",
        "groupby",
        "items",
        "last",
        "length",
        "list",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "select",
        "selectattr",
        "slice",
        "sort",
        "sum",
        "unique",
    ]
)
_SLOW = frozenset({"wordwrap", "urlize", "striptags", "pprint"})
_LONG_NUMBER = re.compile(r"\d{6}")  # in a format: a width


class TemplateBoundsError(TemplateError):
    """A template does more than any conversation needs."""


class GenerationTag(Extension):
    """``{% generation %}``, around what the assistant says, is read and has no effect on the text."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        """Return the body as a block of its own, as transformers does: what it sets is not seen outside."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("block_text"), [], [], body).set_lineno(line)

    def block_text(self, caller: Callable[[], str]) -> str:
        """Return the block's text."""
        return caller()


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The environment that chat templates are written for, with counted work and a clock that stands at ``today``."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, today: date) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, loopcontrols])
        self.allow(())
        clock = datetime(today.year, today.month, today.day)
        self.globals |= {
            "raise_exception": _raise,
            "strftime_now": lambda format: clock.strftime(format),
            "dict": _Dict(),
            "lipsum": _random,
        }
        self.filters |= {"tojson": _json, "random": _random}
        self.filters = {name: self._counted(name, filter) for name, filter in self.filters.items()}
        for hook in (self.tick, self.rounds, self.joined, self.searched):
            self.filters[_own(hook.__name__)] = hook
        self.finalize = self._printed

    def allow(self, messages: Sequence[Mapping[str, str]]) -> None:
        """Set what the coming rendering may take."""
        sent = sum(len(text) for message in messages for text in message.values())
        self._steps = STEPS + STEPS_A_PAIR * len(messages) ** 2 + sent
        self._characters = CHARACTERS + (TIMES + TIMES_A_MESSAGE * len(messages)) * sent

    # --- what compiled templates call --------------------------------------------------------------------------------

    @pass_context  # or it would be computed once, when the template is compiled
    def tick(self, context: Context, steps: int) -> bool:
        """Count ``steps``; True, so that it can stand in a condition."""
        self._count(steps)
        return True

    @pass_context
    def rounds(self, context: Context, items: Any, steps: int) -> Any:
        """Return what a loop goes through, counting ``steps`` for each round."""
        if isinstance(items, list | tuple | dict):
            self._count(len(items) * steps)
            return items
        return _Rounds(self._count, items, steps)

    def joined(self, parts: list[Any]) -> str:
        """Return ``a ~ b ~ …``."""
        texts = [self._as_text(part) for part in parts]
        self._grow(sum(map(len, texts)))
        return "".join(texts)

    def searched(self, container: Any) -> Any:
        """Return what ``in`` looks through."""
        if isinstance(container, Sequence):
            self._count(1 + len(container) // A_STEP)
        return container

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function or method from a template."""
        self._count(1)
        if args and isinstance(obj, types.BuiltinMethodType):
            owner = obj.__self__
            if isinstance(owner, str | bytes | int):
                self._require_small(*args, *kwargs.values())
                self._require_room(obj.__name__, owner, args)
        try:
            return self._measured(super().call(context, obj, *args, **kwargs))
        except OverflowError as error:  # a range
            raise TemplateBoundsError(f"it counts further than {LARGEST:,}") from error

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute ``left operator right``."""
        if operator == "+" and type(left) is str and type(right) is str:  # by far the commonest
            return self._printed(left + right)
        if operator == "*":
            self._require_product(left, right)
            self._require_product(right, left)
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            self._require_bits(left.bit_length() * abs(right))
        elif operator == "%" and isinstance(left, str):
            self._require_format(left, right)
        return self._measured(self.binop_table[operator](left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return a bounded ``str.format``, where ``value`` is one."""
        format = super().wrap_str_format(value)
        if format is None:
            return None

        def bounded(*args: Any, **kwargs: Any) -> str:
            self._require_format(value.__self__, [*args, *kwargs.values()])
            return format(*args, **kwargs)

        return bounded

    # --- counting ----------------------------------------------------------------------------------------------------

    def _counted(self, name: str, filter: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``filter``, counted by what it reads and what it returns."""

        @wraps(filter)  # keeps the mark of those that are given the environment first
        def counted(*args: Any, **kwargs: Any) -> Any:
            if len(args) == 1 and type(args[0]) is str and not kwargs and name not in _SLOW:
                self._steps -= 1 + len(args[0]) // A_STEP
                return self._measured(filter(args[0]))
            values = [arg for arg in args if not isinstance(arg, Context | BoundedEnvironment | nodes.EvalContext)]
            settings = () if name in _HARMLESS else (*values[1:], *kwargs.values())
            numbers = [value for value in settings if isinstance(value, int)]
            self._require_small(*numbers)
            if values:
                subject = values[0]
                size = len(subject) if name in _SHALLOW and hasattr(subject, "__len__") else self._weight(subject)
                self._count(1 + (size if name in _SLOW else size // A_STEP))
                self._require_characters(size * max([1, *map(abs, numbers)]) // TIMES)
                self._require_room(name, subject, values[1:])
            return self._measured(filter(*args, **kwargs))

        return counted

    def _printed(self, value: Any) -> str:
        """Return an expression's text, as it is put into the prompt."""
        text = value if type(value) is str else self._as_text(value)
        self._characters -= len(text)
        if self._characters < 0:
            self._require_characters(0)
        return text

    def _as_text(self, value: Any) -> str:
        if not isinstance(value, str):
            self._weight(value)
        return str(value)

    def _measured(self, result: Any) -> Any:
        """Return ``result``, having counted its size; an iterator counts as it is read."""
        if isinstance(result, str | bytes | list | tuple):
            self._grow(len(result))
        elif isinstance(result, int):
            self._require_bits(result.bit_length())
        elif isinstance(result, types.GeneratorType):
            return iter(_Rounds(self._count, result, 1))
        return result

    def _grow(self, size: int) -> None:
        self._steps -= 1 + size // A_STEP
        self._characters -= size
        if self._steps < 0 or self._characters < 0:
            self._count(0)
            self._require_characters(0)

    def _count(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise TemplateBoundsError("it goes on and on")

    def _weight(self, value: Any) -> int:
        """Return how many characters and items there are in ``value``, however often a part occurs in it."""
        if isinstance(value, str):
            return len(value)
        weight, left = 0, [value]
        while left:
            value = left.pop()
            if isinstance(value, str | bytes | range):
                weight += len(value)
            elif isinstance(value, list | tuple | dict):
                weight += len(value)
                left += [*value, *value.values()] if isinstance(value, dict) else value
            self._require_characters(weight)
            self._count(1 if left else 0)
        return weight

    def _require_room(self, name: str, subject: Any, args: Sequence[Any]) -> None:
        """Refuse a method or filter whose result would be too long."""
        if not args:
            return
        if name == "replace" and len(args) > 1 and isinstance(subject, str):
            self._require_characters((len(subject) + 1) * len(str(args[1])))
        elif name == "join":  # as a method of the separator, or as a filter of the list
            items, separator = (args[0], subject) if isinstance(subject, str) else (subject, args[0])
            if isinstance(items, str | list | tuple):
                self._require_characters(len(str(separator)) * len(items) + self._weight(items))
        elif name == "format" and isinstance(subject, str):
            self._require_format(subject, args)

    def _require_product(self, times: Any, sequence: Any) -> None:
        if not isinstance(times, int):
            return
        if isinstance(sequence, str | bytes | list | tuple):
            self._require_characters(len(sequence) * max(0, times))
        elif isinstance(sequence, int):
            self._require_bits(times.bit_length() + sequence.bit_length())

    def _require_format(self, format: str, values: Any) -> None:
        self._require_small(*(values if isinstance(values, list | tuple) else [values]))
        if _LONG_NUMBER.search(format):
            raise TemplateBoundsError(f"it formats with a width above {LARGEST:,}")

    def _require_small(self, *values: Any) -> None:
        if any(isinstance(value, int) and abs(value) > LARGEST for value in values):
            raise TemplateBoundsError(f"it gives a number above {LARGEST:,} to a method or filter")

    def _require_bits(self, bits: int) -> None:
        if bits > BITS:
            raise TemplateBoundsError(f"it computes a number of more than {BITS:,} bits")

    def _require_characters(self, size: int) -> None:
        if size > self._characters:
            raise TemplateBoundsError("it writes more and more")

    # --- compiling ---------------------------------------------------------------------------------------------------

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template: nodes.Template = _Counting().visit(super()._parse(source, name, filename))
        return template


class _Counting(NodeTransformer):
    """Puts a count into every loop and macro, and replaces what grows or searches without a hook."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        """Count each round, those that a condition skips too."""
        self.generic_visit(node)
        if node.recursive:  # deeper rounds do not pass through ``iter``
            node.body.insert(0, _tick(node))
            if node.test is not None:
                node.test = nodes.And(_hook("tick", nodes.Const(1), node.lineno), node.test).set_lineno(node.lineno)
        node.iter = _hook("rounds", node.iter, node.lineno, _cost(node))
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:
        """Count each call."""
        self.generic_visit(node)
        node.body.insert(0, _tick(node))
        return node

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.CallBlock:
        """Count each call of the block."""
        self.generic_visit(node)
        node.body.insert(0, _tick(node))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:
        """Join by a function that counts."""
        self.generic_visit(node)
        return _hook("joined", nodes.List(node.nodes).set_lineno(node.lineno), node.lineno)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:
        """Count what ``in`` looks through."""
        self.generic_visit(node)
        for operand in node.ops:
            if operand.op in ("in", "notin"):
                operand.expr = _hook("searched", operand.expr, node.lineno)
        return node


class _Rounds:
    """What a loop goes through, counted as it is read."""

    def __init__(self, count: Callable[[int], None], items: Any, steps: int) -> None:
        self._count, self._items, self._steps = count, items, steps

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            self._count(self._steps)
            yield item


def _tick(node: nodes.For | nodes.Macro | nodes.CallBlock) -> nodes.ExprStmt:
    return nodes.ExprStmt(_hook("tick", _cost(node), node.lineno)).set_lineno(node.lineno)


def _cost(node: nodes.For | nodes.Macro | nodes.CallBlock) -> nodes.Const:
    """Return what the body costs, by its constant text."""
    data = sum(len(text.data) for text in node.find_all(nodes.TemplateData))
    return nodes.Const(1 + data // A_STEP).set_lineno(node.lineno)


def _hook(name: str, subject: nodes.Expr, line: int, *more: nodes.Expr) -> nodes.Filter:
    """Return a call of one of the environment's own functions; a filter is called without a detour."""
    return nodes.Filter(subject, _own(name), list(more), [], None, None).set_lineno(line)


def _own(name: str) -> str:
    """Return a filter's name that no template can write."""
    return f"holdfast {name}"


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


def main() -> None:
    """Render the template of standard input in each of its shapes; print why it is refused, or nothing."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limits; the parent's patience is one
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    request = json.load(sys.stdin)
    environment = BoundedEnvironment(date.fromisoformat(request["today"]))
    try:
        template = environment.from_string(request["source"])
        for messages in request["shapes"]:
            for prompted in (True, False):
                environment.allow(messages)
                _try(template, messages, prompted, request["special"])
    except TemplateBoundsError as error:
        print(error)
    except MemoryError:
        print("it takes too much memory")
    except RecursionError:
        print("it calls itself without end")
    except Exception:  # one that is no template is refused where it is compiled for use, with its place
        return


def _try(template: Template, messages: list[dict[str, str]], prompted: bool, special: dict[str, Any]) -> None:
    """Render; that the template refuses these messages is its right."""
    try:
        template.render(messages=messages, tools=None, documents=None, add_generation_prompt=prompted, **special)
    except (TemplateBoundsError, MemoryError, RecursionError):
        raise
    except Exception:
        return


if __name__ == "__main__":
    main()
