"""The house is in order: every list of what breaks a rule is empty."""

from __future__ import annotations

import ast

import pytest

from tests.house_rules import broken, long_functions, several_meanings, silent_modules, vague_variables

MESSY = """
class Cast: ...
def told(found):
    one = 1
"""


@pytest.mark.parametrize("rule", broken())
def test_nothing_breaks(rule: str) -> None:
    assert broken()[rule] == []


def test_what_breaks_a_rule_is_listed() -> None:
    messy, long = ast.parse(MESSY), ast.parse("def f():\n" + "    x = 1\n" * 60)
    assert list(several_meanings({"a.py": messy, "b.py": messy})) == ["Cast: a.py, b.py", "told: a.py, b.py"]
    assert list(silent_modules({"a.py": messy})) == ["a.py"]
    assert [line.split()[-1] for line in vague_variables({"a.py": messy})] == ["told", "found", "one"]
    assert list(long_functions({"a.py": long})) == ["a.py:1 f: 61 lines"]
