"""The mutants of each kind of code, their keys, and the list of survivors."""

from __future__ import annotations

import ast

import pytest

from .mutant import mutants
from .source import ROOT, Source, sources
from .survivors import reasons


def changed(text: str) -> list[str]:
    """Return the changed lines of all mutants of a small module."""
    return [mutant.after for mutant in mutants(Source(ROOT / "core" / "account" / "order.py", text))]


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("a < b", ["return None", "return a <= b", "return a >= b"]),
        ("a is not b", ["return None", "return a is b"]),
        ("a not in b", ["return None", "return a in b"]),
        ("(a or b) and c", 10),
        ("not a", ["return None", "return a"]),
        ("True", ["return False"]),
        ("1", ["return 2", "return 0"]),
        ("0.0", ["return 1.0", "return (-1.0)"]),
        ('"é" + a', ["return None", 'return "" + a', 'return "é" - a']),
        ("min(a, b)", ["return None", "return max(a, b)"]),
        ("a, b", ["return None", "return b,", "return a,"]),
        ("(a, b)", ["return None", "return ( b,)", "return (a,)"]),
        ("{a}", ["return None", "return set()"]),
        ("{a: b, **c}", ["return None"]),
        ("Phase.LIVE", ["return None", "return Phase.DRAINING"]),
        ("a[-b]", ["return None", "return a[b]"]),
        ("a if b else c", ["return None", "return a if not b else c"]),
        ("f'{a < 1}'", ["return None"]),
        ("None", ["pass"]),
    ],
)
def test_what_becomes_of_a_returned_expression(line: str, after: list[str] | int) -> None:
    """Every operator edits the text itself; brackets stay in pairs, and no change comes twice."""
    found = changed(f"def f(a, b, c):\n    return {line}\n")
    assert len(found) == after if isinstance(after, int) else sorted(found) == sorted(after)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("def f(a=True):\n    g()\n", ["def f(a=False):", "pass"]),
        ("def f(a):\n    a.b += 2\n", ["pass", "a.b -= 2", "a.b = 2", "a.b += 3", "a.b += 1"]),
        ("def f(a):\n    while a:\n        break\n", ["while not a:", "continue"]),
        ('def f(a: "A") -> "B":\n    """Says so."""\n    assert a\n', []),
        ("import a\n__slots__ = ('a', 'b')\nMode = Literal['ws']\n", []),
        ("A = (\n    1,\n    b,\n)\n", ["1,)", "2,", "0,", "b,)"]),
    ],
)
def test_what_becomes_of_statements(text: str, after: list[str]) -> None:
    """Statements are left out, except those that are only for readers and type checkers."""
    assert sorted(changed(text)) == sorted(after)


def test_a_mutant_is_known_by_its_function_and_change() -> None:
    """A mutant's key does not depend on its line; a second one with the same text has another number."""
    text = "class A:\n    def f(self):\n        g()\n        if self:\n            g()\n"
    keys = [mutant.key for mutant in mutants(Source(ROOT / "core/x.py", "\n\n" + text))]
    assert keys == [
        ("x.A.f", "g()", "pass"),
        ("x.A.f", "if self:", "if not self:"),
        ("x.A.f (2)", "g()", "pass"),
    ]


def test_every_mutant_of_the_core_is_another_program() -> None:
    """Each mutant can be compiled, differs from the module and all other mutants, and has its own key."""
    (source,) = sources(("link/link",))
    made = list(mutants(source))
    assert len({mutant.key for mutant in made}) == len(made) > 100
    assert len({ast.dump(ast.parse(mutant.text)) for mutant in made} - {ast.dump(source.tree)}) == len(made)


def test_the_list_of_survivors() -> None:
    """Each entry has a function, a change and a reason; any other is refused."""
    assert all(reasons().values())
    good = "# says what it is\norder.f\n- a < b\n+ a <= b\n  equal ones\n  are the same\n\n\n"
    assert reasons(good) == {("order.f", "a < b", "a <= b"): "equal ones are the same"}
    for bad in ("order.f\n- a\n+ b\n", "order.f\na\nb\nreason", good + good):
        with pytest.raises(ValueError, match="entry"):
            reasons(bad)
