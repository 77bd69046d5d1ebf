"""What the documentation names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def named_tests(text: str) -> list[tuple[str, str]]:
    """Return the tests that a document names: file and function."""
    return NAMED.findall(text)


@cache
def functions_of(file: str) -> frozenset[str]:
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8") if path.is_file() else "")
    return frozenset(node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def missing(text: str) -> list[str]:
    return [f"{file}::{name}" for file, name in named_tests(text) if name not in functions_of(file)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_is_named_is_there(document: Path) -> None:
    assert missing(document.read_text(encoding="utf-8")) == []


def test_every_fault_names_what_holds_it() -> None:
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| what a user did")]
    assert len(rows) > 30
    assert [row for row in rows if len(named_tests(row)) != 1 or row.count(" | ") != 3] == []


def test_a_test_that_is_gone_is_named() -> None:
    here = "tests/test_docs.py"
    text = f"`{here}::test_a_test_that_is_gone_is_named` `{here}::test_gone` `tests/no_such_file.py::test_gone`"
    assert missing(text) == [f"{here}::test_gone", "tests/no_such_file.py::test_gone"]
