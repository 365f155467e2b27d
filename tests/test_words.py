"""The words of code and pages: those that the glossary retires are gone, and docstrings come to the point."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"
ROOMS = ("core", "ports", "adapters", "listenkey", "examples")
CHECKS = ("tests", "benchmarks")
"""The code that runs the rooms: here, too, no retired word is used."""
EVERYWHERE = (*ROOMS, *CHECKS, "docs")
THE_EXCHANGE = ("adapters/simulator/", "adapters/testing/", "tests/adapters/simulator/")
"""They play the other party, in that party's words."""
FORMATS = {"tests/core/transcript.py": {"deafen"}}
"""Words that a file's format holds."""
SOURCES = [
    path
    for room in EVERYWHERE
    for path in sorted((ROOT / room).rglob("*.py"))
    if not f"{path.relative_to(ROOT)}".startswith(tuple(f"listenkey/{linked}" for linked in ROOMS))
]
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if path.parent.name != "adr")
HISTORY = {ROOT / "CHANGELOG.md"}
"""Pages that say what was true when they were written."""
NAMING = frozenset({"name", "id", "attr", "arg", "asname"})
"""The fields of a node that hold a name."""
OPENINGS = re.compile(r"(Whether|What)\b")


def table(marker: str) -> list[list[str]]:
    """The rows of a table of the glossary, without its head."""
    found = re.search(rf"<!-- {marker}: begin -->\n(.*?)<!-- {marker}: end -->", GLOSSARY.read_text(), re.DOTALL)
    assert found, marker
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()[2:]]


RETIRED = frozenset(word for words, _ in table("retired") for word in words.split(", "))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """The syntax tree of a module, node by node."""
    return tuple(ast.walk(ast.parse(path.read_text())))


def sources(room: str) -> list[Path]:
    """The modules of a room."""
    return [path for path in SOURCES if path.relative_to(ROOT).parts[0] == room]


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """All of a module, also those of attributes, with their lines."""
    for node in nodes(path):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def names(path: Path) -> Iterator[tuple[int, str]]:
    """Everything in a module that is named or called by name, with its line."""
    for node in nodes(path):
        for field in NAMING.intersection(node._fields):
            if isinstance(name := getattr(node, field), str):
                yield getattr(node, "lineno", 0), name


@cache
def words(text: str) -> frozenset[str]:
    """The words in a sentence, or in a name: `deliver_fill` and `DeliverFill` have two."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text))


@pytest.mark.parametrize("room", [*ROOMS, *CHECKS])
def test_no_name_and_no_docstring_has_a_retired_word(room: str) -> None:
    """Neither a module's name, nor what it names, nor what it says of itself; the exchange may have its own words."""
    found = []
    for path in sources(room):
        where = path.relative_to(ROOT)
        if f"{where}".startswith(THE_EXCHANGE):
            continue
        texts, retired = [(0, path.stem), *names(path), *docstrings(path)], RETIRED - FORMATS.get(f"{where}", set())
        found += [f"{where}:{line}: {word}" for line, text in texts for word in sorted(words(text) & retired)]
    assert not found, "\n".join(found)


def test_no_page_has_a_retired_word() -> None:
    """But for the decisions, the changes, and the glossary's own lists; where a link leads is no sentence."""
    found = []
    for path in (each for each in PAGES if each not in HISTORY):
        text = re.sub(r"<!-- (retired|renamed): begin -->.*?<!-- \1: end -->", "", path.read_text(), flags=re.DOTALL)
        for number, line in enumerate(re.sub(r"\]\([^)]*\)", "]", text).splitlines(), 1):
            found += [f"{path.relative_to(ROOT)}:{number}: {word}" for word in sorted(words(line) & RETIRED)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("room", EVERYWHERE)
def test_no_docstring_opens_with_whether_or_what(room: str) -> None:
    """A condition is `True if …`, a function does or returns something, and a thing has a name."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text.strip()[:40]}"
        for path in sources(room)
        for line, text in docstrings(path)
        if OPENINGS.match(text.strip())
    ]
    assert not found, "\n".join(found)


def test_the_lists_of_the_glossary() -> None:
    """Each is in alphabetical order and has nothing twice; a renamed thing is gone, and its successor is there."""
    single = re.findall(r"^\| (\w+) \| [^|]* \| [^|]* \|$", GLOSSARY.read_text(), re.MULTILINE)
    for listed in (single[1:], [row[0] for row in table("retired")]):
        assert listed == sorted(set(listed))
    for was, now in table("renamed"):
        assert not _exists(was.strip("`")), was
        assert _exists(now.strip("`")), now


def _exists(name: str) -> bool:
    """True if there is such a module, or such a class in its module."""
    path = ROOT.joinpath(*name.split("."))
    if path.with_suffix(".py").exists():
        return True
    home = path.parent.with_suffix(".py")
    return home.exists() and f"\nclass {path.name}" in home.read_text()
