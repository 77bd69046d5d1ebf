"""A pattern is tried on a text that has one of its words, or all of those with "+" between."""

import re
from collections.abc import Iterator, Mapping

import pytest

from holdfast.agents.raters.gate.worded import lexicon, worded

PATTERNS = worded({"buy order": r"(?:buy|order) now", "off+per off+cent": r"per cent off", "now": r"right now"})


def test_only_likely_patterns_are_tried_in_their_order() -> None:
    assert PATTERNS.likely(frozenset()) == []
    assert PATTERNS.likely(frozenset({"off"})) == []
    assert PATTERNS.likely(frozenset({"off", "cent", "order"})) == [0, 1]
    assert PATTERNS.likely(frozenset({"now", "buy", "order"})) == [0, 2]


def test_matches_are_what_the_patterns_find() -> None:
    text = "order now, ten per cent off"
    assert PATTERNS.matches(frozenset(text.replace(",", "").split()), text) == ["order now", "per cent off"]
    assert PATTERNS.matches(frozenset({"other"}), text) == []


def shipped() -> Iterator[tuple[str, str]]:
    hostility, signs, subjects = (lexicon(name) for name in ("hostility", "signs", "subjects"))
    tables: list[Mapping[str, str]] = [hostility["strong"], hostility["weak"], signs["refusal"]["other"]]
    tables += [
        signs["advertising"]["patterns"],
        subjects["queue"],
        *(kind["phrases"] for kind in subjects["kinds"].values()),
    ]
    for table in tables:
        yield from table.items()


def alternatives_of(pattern: str) -> list[str]:
    """The parts between the bars that stand in no bracket."""
    parts, depth = [""], 0
    for sign in re.findall(r"\\.|\[[^\]]*\]|.", pattern):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


@pytest.mark.parametrize(("key", "pattern"), list(shipped()))
def test_each_alternative_of_a_shipped_pattern_holds_a_word_of_its_key(key: str, pattern: str) -> None:
    """Otherwise it would never be tried on a text that has only this alternative."""
    for part in alternatives_of(pattern):
        plain = part.replace("\\b", " ").replace("''", "'")
        assert any(
            all(re.search(rf"(?<![a-z]){re.escape(w)}", plain) for w in word.split("+")) for word in key.split()
        ), part


def test_alternatives_are_told_apart() -> None:
    assert alternatives_of(r"a(?:b|c)|[|]d\||e") == ["a(?:b|c)", r"[|]d\|", "e"]
