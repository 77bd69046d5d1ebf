"""The words and patterns of ``signs.yaml``, by which the gate knows failures."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PREFIX = 4  # letters by which words are looked through before patterns

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Signs:
    """All of them, compiled. ``kinds``: of each kind of text the pattern of its signs; ``prefixes``: of their words."""

    common: frozenset[str]
    refusal: Pattern
    around_refusal: Pattern
    insult: Pattern
    insult_first: Pattern
    not_own: Pattern
    selling: tuple[Pattern, ...]
    selling_words: frozenset[str]
    least_selling: int
    relating: frozenset[str]
    function: frozenset[str]
    kinds: tuple[Pattern, ...]
    prefixes: frozenset[str]
    least_kind: int
    queue: Pattern
    queue_words: frozenset[str]


@cache
def signs() -> Signs:
    """Return the signs that holdfast ships."""
    raw: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("signs.yaml").read_text(encoding="utf-8"))
    refusal, hostility, selling, topic = (raw[name] for name in ("refusal", "hostility", "advertising", "off_topic"))
    kinds = list(topic["kinds"].values())
    return Signs(
        common=frozenset(raw["common"]),
        refusal=_refusal(refusal),
        around_refusal=re.compile(_any(refusal["around"])),
        insult=_insult(hostility),
        insult_first=re.compile(rf"^(?:{_any(hostility['lead'])} )*{_any(hostility['first'])}"),
        not_own=re.compile(rf"\b{_any(hostility['not_own'])}\b[^.;!?]{{0,30}}$"),
        selling=tuple(map(re.compile, selling["patterns"])),
        selling_words=frozenset(selling["words"]),
        least_selling=selling["least"],
        relating=frozenset(topic["relating"]),
        function=frozenset(topic["function"]),
        kinds=tuple(re.compile(rf"\b{_any(kind)}(?:\b|(?<=\W))") for kind in kinds),
        prefixes=prefixes(word for kind in kinds for sign in kind for word in re.findall(r"[a-z]{3,}", sign)),
        least_kind=topic["least"],
        queue=re.compile(_any(topic["queue"]["patterns"])),
        queue_words=frozenset(topic["queue"]["words"]),
    )


def prefixes(words: Iterable[str]) -> frozenset[str]:
    """Return the first letters of each word."""
    return frozenset(word[:PREFIX] for word in words)


def _any(patterns: Sequence[str]) -> str:
    return f"(?:{'|'.join(patterns)})"


def _refusal(raw: dict[str, list[str]]) -> Pattern:
    """A refusal by who speaks, or by naming itself a machine that cannot, and says no "but"."""
    speaker = rf"an? {_any(raw['speaker'])}\b"
    forms = (
        rf"\b(?:i|we)(?: (?:really|simply|just|unfortunately))? ?{_any(raw['unable'])}(?: (?:be )?able to)?(?: \w+)? "
        rf"{_any(raw['service'])}(?:ing)?(?!\w| but\b)",
        rf"\b(?:as|i(?:'m| am)(?: just| only)?) {speaker}(?=.*\b(?:can't|cannot|unable|don't|not)\b)(?!.*\bbut\b)",
    )
    return re.compile(_any((*forms, *raw["other"])))


def _insult(raw: dict[str, list[str]]) -> Pattern:
    """An insult said of the reader: "you are (such a) ...", "you stupid ..."."""
    insults = _any(raw["insults"])
    forms = (
        rf"(?:you|u)(?: really| clearly| truly)?(?: ?'?re| are|'re being| sound)(?: {_any(raw['between'])})* {insults}",
        rf"(?:you|your) (?:stupid|pathetic|worthless|dumb|little|fucking) {insults}",
    )
    return re.compile(rf"\b{_any((*forms, *raw['other']))}\b")
