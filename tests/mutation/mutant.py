"""A mutant: one edit of one module, with its function, its lines and its diff."""

from __future__ import annotations

import ast
import difflib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from .operators import OPERATORS, Edit, Operator, member
from .source import ROOT, Source, enumerations


class Mutant(NamedTuple):
    """A mutant; `lines` are those of the statement around the edit: a test that runs none of them cannot notice it."""

    source: Source
    edit: Edit
    function: str
    lines: range
    before: str
    after: str
    nth: int = 1
    """Its number among those of its function that make the same change, from 1."""

    @property
    def text(self) -> str:
        """The module with the edit made."""
        whole, edit = self.source.text, self.edit
        return whole[: edit.start] + edit.text + whole[edit.end :]

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.source.path.relative_to(ROOT)}:{self.source.line(self.edit.start)}"

    @property
    def key(self) -> tuple[str, str, str]:
        """The key that does not depend on its line number: the function, and the text before and after the edit."""
        nth = "" if self.nth == 1 else f" ({self.nth})"
        return f"{self.source.path.stem}.{self.function}{nth}", self.before, self.after


def mutants(source: Source) -> Iterator[Mutant]:
    """Yield every mutant of the module, in the order of its lines, without duplicates and unchanged programs."""
    names = enumerations()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            for target in node.targets:
                if isinstance(target, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=False)
                    names |= {ast.unparse(alias): names.get(ast.unparse(name), []) for alias, name in pairs}
    known = {ast.dump(source.tree)}
    found = []
    for mutant in _in(source, source.tree, "", (*OPERATORS, member(names))):
        try:
            tree = ast.dump(ast.parse(mutant.text))
        except SyntaxError:
            continue
        if tree not in known:
            known.add(tree)
            found.append(mutant)
    seen: Counter[tuple[str, str, str]] = Counter()
    for mutant in sorted(found, key=lambda each: each.edit):
        seen[mutant.key] += 1
        yield mutant._replace(nth=seen[mutant.key])


def _in(source: Source, body: ast.AST, function: str, operators: tuple[Operator, ...]) -> Iterator[Mutant]:
    for child in ast.iter_child_nodes(body):
        if isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from _in(source, child, function, operators)
        if not isinstance(child, ast.stmt):
            continue
        if _speaks_to_readers_only(child):
            continue
        inner = function
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            inner = f"{function}.{child.name}".lstrip(".")
        lines = range(child.lineno, _last_line_of_header(child) + 1)
        named = inner or _target(child)
        whole = isinstance(body, (ast.Module, ast.ClassDef))
        for node in _expressions(child):
            if whole and isinstance(node, ast.stmt):
                continue
            for operator in operators:
                for edit in operator(source, node):
                    yield Mutant(source, edit, named, lines, *_changed(source.text, edit))
        yield from _in(source, child, inner, operators)


def _speaks_to_readers_only(node: ast.stmt) -> bool:
    """True for imports, docstrings, slots, types, and assertions for the type checker, which are not mutated."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__slots__":
        return True
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript) and _target(node)[:1].isupper():
        return True
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.Assert))


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, without those of its body, of types, and of f-strings."""
    yield statement
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "bases"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not isinstance(child, (ast.stmt, ast.JoinedStr)):
                    yield child
                    waiting.append(child)


def _last_line_of_header(statement: ast.stmt) -> int:
    body = getattr(statement, "body", None)
    last = body[0].lineno - 1 if body else statement.end_lineno
    assert last is not None
    return max(statement.lineno, last)


def _target(statement: ast.stmt) -> str:
    """The name to which the statement assigns, for one outside of functions."""
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        return ast.unparse(target)
    return ""


def _changed(text: str, edit: Edit) -> tuple[str, str]:
    """The changed lines before and after the edit, each joined to one line."""
    first, last = text.rfind("\n", 0, edit.start) + 1, text.find("\n", edit.end)
    before, after = text[first:last], text[first : edit.start] + edit.text + text[edit.end : last]
    old, new = before.splitlines(), after.splitlines()
    parts = [
        code for code in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"
    ]
    gone = [line for _, a, b, _, _ in parts for line in old[a:b]]
    come = [line for _, _, _, a, b in parts for line in new[a:b]]
    return " ".join(" ".join(gone).split()), " ".join(" ".join(come).split())
