"""YAML as plain data that remembers the line and column of each key and value.

Accepted is what a person writes by hand: one document of mappings, lists, and scalars after YAML 1.2's core schema
(https://yaml.org/spec/1.2.2/#103-core-schema: ``no`` and ``12:30`` are text, ``1e-3`` is a number). Tags, anchors and
aliases, keys given twice, hidden characters, and anything past the reading limits are refused with line and column.
The tree is built from parser events without recursion, so neither deep nesting nor an alias bomb costs more than
reading up to the limit.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import yaml

from holdfast.core.errors import Fault, InputError
from holdfast.core.text import MAX_BYTES, decode, hidden_in, hidden_message, is_hidden, read_bytes, too_large
from holdfast.core.wording import printable, quote, shorten

MAX_DEPTH = 32
MAX_VALUES = 30_000
MAX_NUMBER = (1 << 63) - 1  # what SQLite, JSON readers and clocks hold

DataPath = tuple[str | int, ...]


class AnyMark(Protocol):
    """The part of PyYAML's marks that is used here; they count from 0."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column, counted from 1. ``source``: whose they are, where data of several files were put together."""

    line: int
    column: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class YamlSource:
    """Plain data and its places. ``keys`` and ``values`` map a path, such as ``("goals", 0, "id")``, to its position.

    ``faults`` are those of the YAML itself that did not stop the reading (a tag, a key given twice).
    """

    name: str
    data: object
    keys: Mapping[DataPath, Position]
    values: Mapping[DataPath, Position]
    faults: tuple[Fault, ...] = ()

    def fault(self, path: DataPath, message: str, *, at_key: bool = False) -> Fault:
        """Return a fault at the value (or key) of ``path``, or at the nearest enclosing value that the file has."""
        places = self.keys if at_key and path in self.keys else self.values
        while path and path not in places:
            path = path[:-1]
        place = places.get(path, Position(1, 1))
        return Fault(place.source or self.name, message, place.line, place.column)

    def part(self, path: DataPath) -> "YamlSource":
        """Return what stands at ``path`` as a source of its own, with its places in this file."""
        n = len(path)
        keys, values = (
            {at[n:]: place for at, place in places.items() if at[:n] == path} for places in (self.keys, self.values)
        )
        return YamlSource(self.name, self.get(path), keys, values)

    def get(self, path: DataPath) -> object:
        """Return the data at ``path``; None where there is none."""
        value = self.data
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            else:
                inside = isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value)
                value = value[part] if inside else None  # type: ignore[index]
        return value


def read_yaml(path: str | os.PathLike[str]) -> YamlSource:
    """Read one file.

    Raises:
        InputError: It cannot be read or is not YAML at all.
    """
    return parse_yaml(read_bytes(path), printable(os.fspath(path)))


def parse_yaml(data: bytes, name: str) -> YamlSource:
    """Parse one document. ``name`` stands for the source in faults.

    Raises:
        InputError: It is not YAML at all.
    """
    if len(data) > MAX_BYTES:
        raise InputError([too_large(name, len(data))])
    text = decode(data, name)
    hidden = [Fault(name, message, line, column) for line, column, message in hidden_in(text)]
    if hidden:
        raise InputError(hidden)
    return _Builder(name).build(text)


# --- events to data ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open."""

    container: dict[str, object] | list[object]
    path: DataPath
    key: str | None = None  # a mapping's key that waits for its value
    repeated: bool = False  # the key was given before: its value is dropped


class _Builder:
    """Builds the data in one pass over the parser's events."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.keys: dict[DataPath, Position] = {}
        self.values: dict[DataPath, Position] = {}
        self.stack: list[_Frame] = []
        self.root: object = None
        self.count = 0

    def build(self, text: str) -> YamlSource:
        documents = 0
        for event in self._events(text):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._note(event, "a second document begins here; one file holds one: split the file, drop '---'")
                    break
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self.stack.pop()
        if not documents:
            raise InputError([Fault(self.name, "the file is empty; it needs 'key: value' lines", 1, 1)])
        return YamlSource(self.name, self.root, self.keys, self.values, tuple(self.faults))

    def _events(self, text: str) -> Iterator[yaml.Event]:
        loader = yaml.SafeLoader(text)
        try:
            while loader.check_event():
                yield loader.get_event()  # type: ignore[no-untyped-call]
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark or loader.get_mark()
            raise self._stop(mark, f"not valid YAML: {_syntax(error)}") from None
        except (ValueError, OverflowError):  # PyYAML lets through "\UFFFFFFFF" and "%YAML 1.9999…"
            raise self._stop(loader.get_mark(), "not valid YAML: a number or an escape that cannot exist") from None

    def _stop(self, mark: AnyMark | None, message: str) -> InputError:
        place = _place(mark)
        return InputError([*self.faults, Fault(self.name, message, place.line, place.column)])

    def _note(self, event: yaml.Event, message: str) -> None:
        place = _place(event.start_mark)
        self.faults.append(Fault(self.name, message, place.line, place.column))

    def _node(self, event: yaml.NodeEvent) -> None:
        self.count += 1
        if self.count > MAX_VALUES:
            raise self._stop(event.start_mark, f"more than {MAX_VALUES:,} values; split the file")
        if len(self.stack) >= MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
            raise self._stop(event.start_mark, f"nested more than {MAX_DEPTH} levels deep; flatten it")
        self._refuse_extras(event)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is None:
            self._open_key(frame, event)
            return
        place = _place(event.start_mark)
        path = self._attach(frame, event, place)
        if isinstance(event, yaml.CollectionStartEvent):
            self.stack.append(_Frame(self._last, path))

    def _refuse_extras(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:  # also of an alias; a bomb has thousands, so stop at the first
            kind = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
            message = f"{kind}{shorten(event.anchor)} is not allowed; write the value out where it is needed"
            raise self._stop(event.start_mark, message)
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!", 1)
            self._note(event, f"tag {shorten(shown)} is not allowed; write a plain value, in quotes where it is text")

    def _open_key(self, frame: _Frame, event: yaml.NodeEvent) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._stop(event.start_mark, "a key must be plain text, such as 'name:'")
        place = _place(event.start_mark)
        frame.key, path = event.value, (*frame.path, event.value)
        frame.repeated = path in self.keys
        if frame.repeated:
            first = self.keys[path].line
            self._note(event, f"key {quote(event.value)} is given twice (first in line {first}); remove one")
        else:
            self.keys[path] = place

    def _attach(self, frame: _Frame | None, event: yaml.NodeEvent, place: Position) -> DataPath:
        """Put the event's value where it belongs; return its path."""
        self._last: dict[str, object] | list[object] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        value = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._last
        path: DataPath = ()
        if frame is None:
            self.root = value
        elif isinstance(frame.container, list):
            path = (*frame.path, len(frame.container))
            frame.container.append(value)
        else:
            assert frame.key is not None
            path = (*frame.path, frame.key)
            if frame.repeated:
                path = (*frame.path, frame.key, "(again)")  # parsed for its own faults only
            else:
                frame.container[frame.key] = value
            if isinstance(event, yaml.ScalarEvent) and not event.value and event.implicit[0]:
                place = self.keys.get(path, place)  # the key has no value: point at the key
            frame.key = None
        self.values[path] = place
        return path

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        text: str = event.value
        hidden = next((character for character in text if is_hidden(character)), None)
        if hidden is not None:
            self._note(event, hidden_message(hidden))
            return ""
        if not event.implicit[0]:
            return text
        if _NOT_FINITE.fullmatch(text):
            self._note(event, f"{text} is not a finite number; write an ordinary one")
            return 0
        try:
            value = _plain(text)
        except ValueError:
            value = math.inf
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > MAX_NUMBER:
            self._note(event, "a number too large to hold; write an ordinary one")
            return 0
        return value


def _place(mark: AnyMark | None) -> Position:
    return Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)


def _plain(text: str) -> str | int | float | bool | None:
    """Return a scalar without quotes as YAML 1.2's core schema reads it.

    Raises:
        ValueError: The number has more digits than Python converts.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    return float(text) if _FLOAT.fullmatch(text) else text


def _syntax(error: yaml.MarkedYAMLError) -> str:
    problem = shorten(error.problem or "it cannot be parsed", 200)
    if "'\\t'" in problem:
        return "a tab; indent with spaces"
    return f"{problem} ({shorten(error.context, 200)})" if error.context else problem
