"""Answers that keep to a JSON schema: tokens that would leave it are never drawn (guided decoding).

Which tokens may follow is llguidance's to say; what it forbids gets a logit of minus infinity before the draw (Willard
and Louf 2023, arXiv 2307.09702). So the smallest model answers in the form that it is asked for: the answer can be
read, which says nothing of whether it is right. Where few tokens are left, texts and lists end at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cached_property
from typing import Any

import llguidance
import numpy as np
import torch
from llguidance.hf import from_tokenizer

from holdfast.agents.models.local.decoding import OPENING
from holdfast.agents.thought_marks import CLOSING

LONGEST_TEXT = 400  # characters of a text whose schema names no limit: without one, a weak model writes to max_tokens
MOST_ITEMS = 3  # of a list whose schema names no limit
LARGEST = 1_000_000  # of a number whose schema names no limit
_AS_DUMPED: Any = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}  # as json.dumps writes
_CLOSING = (b'"', b"]", b"}")
_MORE = 6  # tokens of a character that has begun, or of a number longer than it need be
_PROBE = '{"id": "a1", "said": ["b c", "d"], "score": 0.5}'
_VALUES = frozenset(("enum", "const", "default", "examples"))  # keys of a schema that hold data
_BY_NAME = frozenset(("properties", "patternProperties", "$defs", "definitions"))  # and those that hold schemas by name


class Constraint:
    """One answer's place in its schema.

    Args:
        matcher: llguidance's place.
        tokenizer: the model's.
        closing: the tokens of each character that may close a value, that of texts first, as texts may hold the others.
        least: tokens that the rest of an answer may need.
        opened: the prompt has opened a thought, behind which the answer begins.
    """

    def __init__(
        self,
        matcher: llguidance.LLMatcher,
        tokenizer: Any,
        closing: Sequence[Sequence[int]],
        least: int,
        *,
        opened: bool,
    ) -> None:
        self._matcher, self._tokenizer, self._closing, self._least = matcher, tokenizer, closing, least
        self._thinking, self._thought = opened, list[int]()

    @property
    def holds(self) -> bool:
        """Whether what comes next has to keep to the schema: not within a thought, nor once it was left."""
        return not (self._thinking or self._matcher.is_error())

    @property
    def complete(self) -> bool:
        """Whether the answer is whole, and nothing may follow it."""
        return self.holds and bool(self._matcher.is_stopped())

    def forced(self) -> list[int]:
        """Return the tokens that have to come next, as far as there is only one way on."""
        return list(self._matcher.compute_ff_tokens()) if self.holds else []

    def mask(self, logits: torch.Tensor, left: int) -> None:
        """Set the logits, (vocabulary,), of all tokens that would leave the schema to minus infinity, in place.

        ``left``: how many tokens may still be written; where they are few, a text or list that may end does. Where no
        token can go on, as with a vocabulary that lacks the characters of JSON, the answer is free from then on.
        """
        if not self.holds:
            return
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        allowed = np.zeros(len(logits), dtype=bool)
        known = np.unpackbits(bits, bitorder="little")[: len(logits)].astype(bool)
        allowed[: len(known)] = known
        if left <= self._least:
            ends = next((some for each in self._closing if (some := [token for token in each if allowed[token]])), None)
            if ends is not None:
                allowed[:] = False
                allowed[ends] = True
        within = logits.masked_fill(~torch.from_numpy(allowed).to(logits.device), float("-inf"))
        if within.max() > float("-inf"):
            logits.copy_(within)

    def take(self, token: int) -> None:
        """Go on by a token that was drawn."""
        if not self._thinking:
            self._matcher.consume_token(token)
            return
        self._thought = [*self._thought[1 - OPENING :], token]
        text = self._tokenizer.decode(self._thought, skip_special_tokens=False)
        self._thinking = all(mark["closed"] for mark in CLOSING.finditer(text))  # a rare name closes another thought


class Schemas:
    """Makes the constraints of a model's answers.

    Args:
        tokenizer: the model's; one that is not of the tokenizers library constrains nothing.
        vocabulary: how many logits the model has.
        stop_ids: the tokens that end an answer.
    """

    def __init__(self, tokenizer: Any, vocabulary: int, stop_ids: frozenset[int]) -> None:
        self._tokenizer, self._vocabulary, self._stop_ids = tokenizer, vocabulary, stop_ids

    @cached_property
    def _words(self) -> llguidance.LLTokenizer | None:
        """The vocabulary as llguidance reads it, made at the first schema: it takes a second.

        None where it cannot be read, or is read as other text than the tokenizer makes of it.
        """
        known = len(self._tokenizer)
        ends = [token for token in sorted(self._stop_ids) if token < known]
        some = [*self._tokenizer.all_special_ids, known - 1][:1]  # it wants an end, though an answer ends without
        try:
            words = from_tokenizer(self._tokenizer, n_vocab=max(self._vocabulary, known), eos_token=ends or some)
        except ValueError:  # words that are put together by rules that it does not know
            return None
        probe = self._tokenizer.encode(_PROBE, add_special_tokens=False)
        return words if words.decode_str(probe).strip() == self._tokenizer.decode(probe).strip() == _PROBE else None

    @cached_property
    def _closing(self) -> list[list[int]]:
        """The tokens of each character that may close a value."""
        words, tokens = self._words, range(min(self._vocabulary, len(self._tokenizer)))
        said = [b"" if words is None else words.decode_bytes([token]) for token in tokens]
        return [[token for token in tokens if said[token] == character] for character in _CLOSING]

    def constraint(self, schema: Mapping[str, Any], *, opened: bool = False) -> Constraint | None:
        """Return the constraint of one answer under ``schema``; None where this model or llguidance cannot keep it.

        ``opened``: the prompt has opened a thought, so the answer begins behind it.
        """
        if self._words is None:
            return None
        grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(bounded(schema)), defaults=_AS_DUMPED)
        matcher = llguidance.LLMatcher(self._words, grammar, log_level=0)
        if matcher.is_error():
            return None
        shortest = json.dumps({name: [""] for name in schema.get("properties", ())})
        least = len(self._tokenizer.encode(shortest, add_special_tokens=False)) + _MORE
        return Constraint(matcher, self._tokenizer, self._closing, least, opened=opened)


def bounded(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON schema with an end to every text, list and number in it that has none: see the limits above."""
    inner = {key: _inner(key, value) for key, value in schema.items()}
    kinds = [] if inner.keys() & {"enum", "const"} else inner.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        inner |= _limits(kind, inner)
    return inner


def _inner(key: str, value: Any) -> Any:
    """Return what stands under a key of a schema, with an end to all schemas in it."""
    if key in _VALUES:
        return value
    if isinstance(value, Mapping):
        return {name: _inner("", each) for name, each in value.items()} if key in _BY_NAME else bounded(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_inner("", each) for each in value]
    return value


def _limits(kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ends of a value of one kind: the schema's own where it has some."""
    low, high = schema.get("minimum", -LARGEST), schema.get("maximum", LARGEST)
    if kind == "string":
        return {} if "pattern" in schema else {"maxLength": schema.get("maxLength", LONGEST_TEXT)}
    if kind == "array":
        return {"maxItems": schema.get("maxItems", MOST_ITEMS)}
    if kind == "number" and "multipleOf" not in schema:
        return _decimals(Decimal(str(low)), Decimal(str(high)))
    return {"minimum": low, "maximum": high} if kind in ("integer", "number") else {}


def _decimals(low: Decimal, high: Decimal) -> dict[str, Any]:
    """Return the steps of a number: tenths, or finer ones where fewer than ten tenths fit between its ends.

    The ends are moved inwards to steps: next to an end that is none, llguidance forbids some of them.
    """
    step = Decimal(1).scaleb(min(-1, (high - low).adjusted() - 1))
    ends = low.quantize(step, ROUND_CEILING), high.quantize(step, ROUND_FLOOR)
    return {"minimum": float(ends[0]), "maximum": float(ends[1]), "multipleOf": float(step)}
