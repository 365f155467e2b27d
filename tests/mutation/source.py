"""A module's source text and syntax tree, with the offsets of every node in the text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

Node = ast.expr | ast.stmt | ast.arg | ast.keyword


class Source:
    """A source: `path` is the file, `name` its module."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        self.path = path
        self.name = ".".join(("listenkey", *path.relative_to(ROOT).with_suffix("").parts))
        self.text = path.read_text(encoding="utf-8") if text is None else text
        self.tree = ast.parse(self.text)
        self._lines = self.text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: Node) -> int:
        """The offset at which a node begins, without brackets around it, unless it is a tuple."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: Node) -> int:
        """The offset at which a node ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.end_lineno, node.end_col_offset)

    def line(self, offset: int) -> int:
        """The number of the line, from 1."""
        return self.text.count("\n", 0, offset) + 1

    def find(self, symbol: str, after: Node, before: Node) -> tuple[int, int]:
        """The offsets of an operator or a comma between two nodes."""
        pattern = r"\s+".join(re.escape(word) for word in symbol.split())
        if symbol[0].isalpha():
            pattern = rf"\b{pattern}\b"
        found = re.compile(pattern).search(self.text, self.end(after), self.start(before))
        assert found is not None, f"{self.path}:{after.lineno} has no {symbol}"
        return found.span()

    def _offset(self, line: int, column: int) -> int:
        """The offset of a line and column; Python counts columns in bytes."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())


def sources(modules: tuple[str, ...]) -> Iterator[Source]:
    """Yield modules of the core, given by their paths in it without the ending."""
    for module in modules:
        yield Source(ROOT / "core" / f"{module}.py")


@cache
def enumerations() -> dict[str, list[str]]:
    """Return the members of every enumeration in the core."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "core").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
                members = [each.targets[0] for each in node.body if isinstance(each, ast.Assign)]
                found[node.name] = [member.id for member in members if isinstance(member, ast.Name)]
    return found
