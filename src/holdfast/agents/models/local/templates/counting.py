"""Put a count into every loop and macro of a chat template, and a hook where text grows or lists are searched."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from holdfast.agents.models.local.templates.bounds import A_STEP

N = TypeVar("N", bound=nodes.Node)


def hook_name(function: str) -> str:
    """Return the name of a filter that no template can write, under which the environment keeps a hook."""
    return f"holdfast {function}"


class CountingTransformer(NodeTransformer):
    """Changes a parsed template so that it counts its work. What it writes stays the same."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802
        """Count each round, those that a condition skips too."""
        self.generic_visit(node)
        if node.recursive:  # deeper rounds do not pass through ``iter``
            node.body.insert(0, _tick(node))
            if node.test is not None:
                node.test = _at(node, nodes.And(_hook("tick", nodes.Const(1), node.lineno), node.test))
        node.iter = _hook("rounds", node.iter, node.lineno, _cost(node))
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:  # noqa: N802
        """Count each call."""
        self.generic_visit(node)
        node.body.insert(0, _tick(node))
        return node

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.CallBlock:  # noqa: N802
        """Count each call of the block."""
        self.generic_visit(node)
        node.body.insert(0, _tick(node))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        """Join by a function that counts."""
        self.generic_visit(node)
        return _hook("joined", _at(node, nodes.List(node.nodes)), node.lineno)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802
        """Count what ``in`` looks through."""
        self.generic_visit(node)
        for operand in node.ops:
            if operand.op in ("in", "notin"):
                operand.expr = _hook("searched", operand.expr, node.lineno)
        return node


class CountedRounds:
    """What a loop goes through, counted as it is read: by ``count(steps)`` for each item."""

    def __init__(self, count: Callable[[int], None], items: Any, steps: int) -> None:
        self._count, self._items, self._steps = count, items, steps

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            self._count(self._steps)
            yield item


def _tick(node: nodes.For | nodes.Macro | nodes.CallBlock) -> nodes.ExprStmt:
    return _at(node, nodes.ExprStmt(_hook("tick", _cost(node), node.lineno)))


def _cost(node: nodes.For | nodes.Macro | nodes.CallBlock) -> nodes.Const:
    """Return what the body costs, by its constant text."""
    data = sum(len(text.data) for text in node.find_all(nodes.TemplateData))
    return _at(node, nodes.Const(1 + data // A_STEP))


def _hook(name: str, subject: nodes.Node, line: int, *more: nodes.Expr) -> nodes.Filter:
    """Return a call of one of the environment's own functions; a filter is called without a detour."""
    call = nodes.Filter(cast(nodes.Expr, subject), hook_name(name), list(more), [], None, None)
    call.set_lineno(line)
    return call


def _at(place: nodes.Node, node: N) -> N:
    node.set_lineno(place.lineno)
    return node
