"""The mutation operators: each takes a node of the syntax tree and yields the edits that make a mutant of its text."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from .source import Source

COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
}
SWAPS = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Edit(NamedTuple):
    """An edit: a part of the text, and its replacement."""

    start: int
    end: int
    text: str


Operator = Callable[[Source, ast.AST], Iterator[Edit]]


def comparison(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Shift the boundary of a comparison, or negate it."""
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for op, (left, right) in zip(node.ops, pairwise(operands), strict=True):
            symbol, others = COMPARISONS[type(op)]
            for other in others:
                yield Edit(*source.find(symbol, left, right), other)


def connective(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Swap `and` and `or`, or drop an operand."""
    if isinstance(node, ast.BoolOp):
        symbol, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        start, end = source.start(node), source.end(node)
        places = [source.find(symbol, *pair) for pair in pairwise(node.values)]
        bounds = [start, *(at for place in places for at in place), end]
        pieces = [source.text[a:b] for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
        yield Edit(start, end, other.join(pieces))
        for dropped in range(len(pieces)):
            yield Edit(start, end, symbol.join(pieces[:dropped] + pieces[dropped + 1 :]).strip())


def negation(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Remove a `not`, or put one before a condition that is no comparison."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield Edit(source.start(node), source.start(node.operand), "")
    conditions: list[ast.expr] = []
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        conditions = [node.test]
    elif isinstance(node, ast.comprehension):
        conditions = node.ifs
    elif isinstance(node, ast.BoolOp):
        conditions = node.values
    for condition in conditions:
        if isinstance(condition, (ast.Name, ast.Attribute, ast.Call)):
            yield Edit(source.start(condition), source.start(condition), "not ")


def constant(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Swap True and False, add 1 to a number or subtract it, make a text empty."""
    if isinstance(node, ast.Constant):
        start, end, value = source.start(node), source.end(node), node.value
        if isinstance(value, bool):
            yield Edit(start, end, str(not value))
        elif isinstance(value, (int, float)):
            yield Edit(start, end, repr(value + 1))
            yield Edit(start, end, repr(value - 1) if value >= 1 else f"({value - 1!r})")
        elif isinstance(value, str) and value:
            yield Edit(start, end, '""')


def arithmetic(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Swap plus and minus, times and divided by, remove a sign, or replace `+=` by `=`."""
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        symbol, other = ARITHMETIC[type(node.op)]
        yield Edit(*source.find(symbol, node.left, node.right), other)
    elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        symbol, other = ARITHMETIC[type(node.op)]
        place = source.find(f"{symbol}=", node.target, node.value)
        yield Edit(*place, f"{other}=")
        yield Edit(*place, "=")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield Edit(source.start(node), source.start(node.operand), "")


def extremum(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Swap `min` and `max`, `any` and `all`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SWAPS:
        yield Edit(source.start(node.func), source.end(node.func), SWAPS[node.func.id])


def statement(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Leave out a statement, or swap `break` and `continue`."""
    start_end = (source.start(node), source.end(node)) if isinstance(node, ast.stmt) else (0, 0)
    if isinstance(node, ast.Break):
        yield Edit(*start_end, "continue")
    elif isinstance(node, ast.Continue):
        yield Edit(*start_end, "break")
    elif (
        isinstance(node, (ast.Expr, ast.Assign, ast.AugAssign, ast.Delete, ast.Raise))
        or (isinstance(node, ast.AnnAssign) and node.value is not None)
        or (isinstance(node, ast.Return) and (node.value is None or ast.unparse(node.value) == "None"))
    ):
        yield Edit(*start_end, "pass")


def returned(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Return None instead of the value."""
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield Edit(source.start(node), source.end(node), "return None")


def element(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Leave out an element of a tuple, list, set, dict or table row."""
    first: list[ast.expr]
    last: list[ast.expr]
    if isinstance(node, ast.Set) or (isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Load)):
        first = last = node.elts
    elif isinstance(node, ast.Dict) and None not in node.keys:
        first, last = [key for key in node.keys if key is not None], node.values
    else:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Row" and node.args[1:]:
            yield Edit(source.end(node.args[-2]), source.end(node.args[-1]), "")
        return
    commas = [source.find(",", a, b)[0] for a, b in zip(last, first[1:], strict=False)]
    start, end = source.start(node), source.end(node)
    opening, closing = "", ""
    if not isinstance(node, ast.Tuple) or _is_bracketed(source.text[start:end]):
        opening, closing = source.text[start], source.text[end - 1]
    bounds = [start + len(opening), *commas, end - len(closing)]
    pieces = [source.text[a:b].removeprefix(",") for a, b in pairwise(bounds)]
    for dropped in range(len(first)):
        rest = pieces[:dropped] + pieces[dropped + 1 :]
        if isinstance(node, ast.Set) and not rest:
            yield Edit(start, end, "set()")
            continue
        inside = ",".join(rest)
        if isinstance(node, ast.Tuple) and len(rest) == 1:
            inside = inside.rstrip().removesuffix(",") + ","
        if isinstance(node, ast.Tuple) and not rest:
            yield Edit(start, end, "()")
        else:
            yield Edit(start, end, opening + (inside if opening else inside.strip()) + closing)


def _is_bracketed(text: str) -> bool:
    """True if the last bracket closes the first."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0:
            return place == len(text) - 1 and text[0] == "("
    return False


OPERATORS: tuple[Operator, ...] = (
    comparison,
    connective,
    negation,
    constant,
    arithmetic,
    extremum,
    statement,
    returned,
    element,
)


def member(names: dict[str, list[str]]) -> Operator:
    """Return the operator that replaces an enumeration's member by the next; `names` has members by enumeration."""

    def swap(source: Source, node: ast.AST) -> Iterator[Edit]:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            members = names.get(node.value.id, [])
            if node.attr in members:
                other = members[(members.index(node.attr) + 1) % len(members)]
                yield Edit(source.end(node) - len(node.attr), source.end(node), other)

    return swap
