"""House rules that a reader can count: ``python tests/launch.py tests.house_rules`` lists what breaks them.

- a public class or function has one meaning: no two modules define the same name
- every module says in its docstring what it holds, in more words than its own name
- no function is longer than 60 lines, no file longer than 300
- imports make no circle, those inside functions and for type checking counted
- no variable is called ``found``, ``one``, ``held`` or ``told``: such a name says neither type nor role
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Container, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import holdfast

LONGEST_FUNCTION, LONGEST_FILE, FEWEST_WORDS = 60, 300, 4
VAGUE = frozenset({"found", "one", "held", "told"})
#: Words whose meaning the place gives: a format's reader, a command's entry point, a page's context.
BY_PLACE = frozenset({"main", "conversation_of", "recognises", "page_context"})
SOURCE = Path(holdfast.__path__[0])
Functions = (ast.FunctionDef, ast.AsyncFunctionDef)


def modules() -> dict[str, ast.Module]:
    """Every module of holdfast by its path below the package."""
    files = sorted(SOURCE.rglob("*.py"))
    return {str(file.relative_to(SOURCE)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def several_meanings(trees: dict[str, ast.Module]) -> Iterator[str]:
    """Public names that two modules define; a command and what it runs may share theirs."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees.items():
        for node in tree.body:
            if isinstance(node, (*Functions, ast.ClassDef)) and not _by_place(node):
                homes[node.name].append(path)
    yield from (f"{name}: {', '.join(paths)}" for name, paths in sorted(homes.items()) if len(paths) > 1)


def _by_place(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether the name is private, a command of the command line, or one whose meaning the place gives."""
    decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
    return node.name.startswith("_") or node.name in BY_PLACE or "command" in decorators or "group" in decorators


def silent_modules(trees: dict[str, ast.Module]) -> Iterator[str]:
    """Modules whose docstring is absent, or says no more than a name."""
    for path, tree in trees.items():
        words = (ast.get_docstring(tree) or "").split()
        if len(words) < FEWEST_WORDS or words[0] == "holdfast's":
            yield path


def long_functions(trees: dict[str, ast.Module]) -> Iterator[str]:
    """Functions that do not fit on a screen."""
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, Functions):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    yield f"{path}:{node.lineno} {node.name}: {lines} lines"


def long_files() -> Iterator[str]:
    """Files that ask to be split."""
    for file in sorted(SOURCE.rglob("*.py")):
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > LONGEST_FILE:
            yield f"{file.relative_to(SOURCE)}: {lines} lines"


def circles(trees: dict[str, ast.Module]) -> Iterator[str]:
    """Modules that import each other, or each the next and the last the first; one circle for each import to cut."""
    paths = {_module_name(path): path for path in trees}
    imports = {path: {paths[name]: None for name in _imported(path, tree, paths)} for path, tree in trees.items()}
    while True:
        try:
            TopologicalSorter(imports).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]  # each imports the next
            yield " -> ".join(circle)
            del imports[circle[0]][circle[1]]
        else:
            return


def _module_name(path: str) -> str:
    return ".".join(("holdfast", *Path(path).with_suffix("").parts)).removesuffix(".__init__")


def _imported(path: str, tree: ast.Module, modules: Container[str]) -> Iterator[str]:
    """Those of ``modules`` that ``tree`` names in an import, wherever it stands; a package only for its own names."""
    package = ".".join(("holdfast", *Path(path).parent.parts))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        if isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            named = (f"{source}.{alias.name}" for alias in node.names)
            yield from (name for each in named if (name := each if each in modules else source) in modules)


def vague_variables(trees: dict[str, ast.Module]) -> Iterator[str]:
    """Variables, parameters and functions with a name that says nothing."""
    for path, tree in trees.items():
        for node in ast.walk(tree):
            name, line = _bound(node)
            if name in VAGUE:
                yield f"{path}:{line} {name}"


def _bound(node: ast.AST) -> tuple[str, int]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id, node.lineno
    if isinstance(node, ast.arg):
        return node.arg, node.lineno
    if isinstance(node, (*Functions, ast.ClassDef)):
        return node.name, node.lineno
    return "", 0


@cache
def broken() -> dict[str, list[str]]:
    """Each rule with what breaks it; all empty where the house is in order."""
    trees = modules()
    return {
        "public names with several meanings": list(several_meanings(trees)),
        "modules that say nothing": list(silent_modules(trees)),
        f"functions past {LONGEST_FUNCTION} lines": list(long_functions(trees)),
        f"files past {LONGEST_FILE} lines": list(long_files()),
        "circles of imports": list(circles(trees)),
        "vague variable names": list(vague_variables(trees)),
    }


if __name__ == "__main__":
    for rule, breaks in broken().items():
        print(f"{rule}: {len(breaks)}")
        print("".join(f"  {line}\n" for line in breaks), end="")
