"""The house is in order: every list of what breaks a rule is empty."""

from __future__ import annotations

import ast

import pytest

from tests.house_rules import broken, circles, long_functions, several_meanings, silent_modules, vague_variables

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


def test_a_circle_of_imports_is_listed_however_it_is_spelt() -> None:
    sources = {
        "a.py": "from holdfast.b import c",
        "b/__init__.py": "",
        "b/c.py": "if TYPE_CHECKING:\n    from .d import D",
        "b/d.py": "def late():\n    import holdfast.a",
        "e.py": "from holdfast import a, b\nfrom holdfast.b import Name\nimport json",
        "f.py": "from holdfast.g import F",
        "g.py": "from holdfast.f import G",
    }
    listed = list(circles({path: ast.parse(source) for path, source in sources.items()}))
    members = sorted(sorted(set(line.split(" -> "))) for line in listed)
    assert members == [["a.py", "b/c.py", "b/d.py"], ["f.py", "g.py"]]
    for line in listed:
        assert line.split(" -> ")[0] == line.split(" -> ")[-1]
    assert "f.py -> g.py -> f.py" in listed or "g.py -> f.py -> g.py" in listed
