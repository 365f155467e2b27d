"""Values that are made by position, for speed: each argument bears the name of the field that it fills."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import listenkey
from listenkey.core import events, execution, reports
from listenkey.core.account import shown

PACKAGE = Path(listenkey.__file__).parent
FIELDS = {
    each.__name__: each.__struct_fields__
    for each in (reports.OrderReport, events.Fill, execution.Execution, shown.Reported)
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Where each is, what it makes, and the call."""
    for path in sorted((*PACKAGE.glob("core/**/*.py"), *PACKAGE.glob("adapters/**/*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FIELDS and node.args:
                yield f"{path.name}:{node.lineno}", node.func.id, node


def name(argument: ast.expr) -> str:
    """Of `price`, `report.price`, `price or None` and `price if known else None`: price."""
    match argument:
        case ast.Name(id=found) | ast.Attribute(attr=found):
            return found
        case ast.BoolOp(values=[first, *_]) | ast.IfExp(body=first):
            return name(first)
    return ast.unparse(argument)


def test_arguments_are_named_as_the_fields_that_they_fill() -> None:
    """In their order, without a gap; and there are such calls, else this tests nothing."""
    found = list(calls())
    assert len(found) >= 4
    for where, made, call in found:
        assert [name(argument) for argument in call.args] == list(FIELDS[made])[: len(call.args)], where
