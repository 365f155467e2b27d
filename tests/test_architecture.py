"""The house: which way the arrows run, what the core knows of the world, and that what is packed is what is there."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("core", "ports", "adapters")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
FACE = sorted((ROOT / "listenkey").glob("*.py"))
CORE = [path for path in FILES if path.is_relative_to(ROOT / "core")]

CORE_IMPORTS = {
    *("__future__", "collections", "collections.abc", "dataclasses", "decimal", "enum", "functools", "typing"),
    *("hashlib", "json", "math", "msgspec", "re", "transitions", "zlib"),
}
"""Values and pure functions. What reads a clock, draws lots, writes logs or does I/O is not here."""
SEEDED = {"core/context.py", "core/backoff.py"}
"""The two files that may import `random`, and of it only `Random`, which is seeded."""
VENUE_WORDS = re.compile(
    r"(?i:bing\s*x|open-?api|x-bx|vst|listenKeyExpired|ORDER_TRADE_UPDATE|binance|okx|bybit|mexc|gate\.io)"
    r"|TRADING_FEE|REALIZED_PNL|COMMISSION|[\"']ORDER[\"']|SECOND_MS"
)
KINDS = re.compile("FUNDING_FEE")
"""A word of venues that is also the kind of an event of ours: said where the kinds are, and by its name elsewhere."""
ROOMS = {
    "link": {"link"},
    "account": {"account"},
    "books": {"books"},
    "sync": {"sync", "account", "books"},
    "connection": {"link", "sync"},
    "health": {"link", "sync"},
    "intake": {"link", "sync"},
}
"""Which rooms of the core a room may import, and the door; what lies beside them imports no room."""
OLD_PATHS = {"bingx"}
"""Folders of import paths that an earlier read-me showed."""
LARGEST = 17
"""Modules in a room."""
LONGEST = 250
"""Lines of a file."""
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}


class Import(NamedTuple):
    file: Path
    line: int
    module: str
    """Absolute, as if the three folders were top-level: `core.events`, `asyncio`."""
    names: tuple[str, ...]
    relative: bool


def name(path: Path) -> str:
    """A file as `core/context.py`, whatever the machine."""
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    """A file as a module: `core.turn`, `adapters.journal`, `listenkey`."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All of a file's syntax tree, the module first."""
    return tuple(ast.walk(ast.parse(path.read_text())))


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """Every import in a file, those inside functions and `if TYPE_CHECKING` too."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[Import]:
    package = dotted(path).split(".") if path.name == "__init__.py" else dotted(path).split(".")[:-1]
    for node in nodes(path):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name, (), False)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            if node.level == 0:
                yield Import(path, node.lineno, node.module or "", names, False)
            else:
                base = package[: len(package) - node.level + 1]
                module = ".".join([*base, *([node.module] if node.module else [])])
                yield Import(path, node.lineno, module, names, True)


def targets(found: Import, modules: set[str]) -> Iterator[str]:
    """The modules of ours that an import needs: of `from . import x` the module x, and the package only for its own."""
    inner = {f"{found.module}.{imported}" for imported in found.names} & modules
    yield from inner
    if found.module in modules and len(inner) < max(1, len(found.names)):
        yield found.module


def shown(found: Import) -> str:
    return f"{name(found.file)}:{found.line} imports {found.module}"


def test_files_are_where_they_are_looked_for() -> None:
    """The walk below sees the whole house."""
    assert {"core/connection.py", "ports/socket.py", "adapters/driver/driver.py"} <= {name(path) for path in FILES}
    assert len(CORE) > 20


def test_the_core_knows_only_values() -> None:
    """The core imports itself, values of the standard library, msgspec and transitions; chance only where seeded."""
    for path in CORE:
        for found in imports(path):
            if found.module == "random":
                assert name(path) in SEEDED, shown(found)
                assert found.names == ("Random",), shown(found)
            elif found.relative:
                assert found.module == "core" or found.module.startswith("core."), shown(found)
            else:
                assert found.module in CORE_IMPORTS, shown(found)


def test_the_core_does_no_io() -> None:
    """Nothing in the core opens, prints or evaluates, and nothing draws lots but an instance of `Random`."""
    for path in CORE:
        for node in nodes(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in IMPURE_CALLS, f"{name(path)}:{node.lineno} calls {node.func.id}"
            assert not isinstance(node, (ast.AsyncFunctionDef, ast.Await, ast.AsyncWith, ast.AsyncFor, ast.Global))


def test_the_core_knows_no_venue() -> None:
    """No line of the core has a venue's word in it: no name and no string, and no docstring and no comment either."""
    for path in CORE:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not VENUE_WORDS.search(line), f"{name(path)}:{number} says {line.strip()!r}"
        for node in nodes(path):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and path.name not in ("events.py", "kinds.py")
            ):
                assert not KINDS.fullmatch(node.value), f"{name(path)}:{node.lineno} says {node.value!r}"


def test_how_exact_times_are_is_the_venues() -> None:
    """No moment is rounded by a number that stands in the core: one function rounds, by the dialect's grain."""
    for path in CORE:
        for node in nodes(path):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.left, ast.BinOp):
                rounds = isinstance(node.left.op, ast.FloorDiv) and isinstance(node.right, ast.Constant)
                assert not rounds, f"{name(path)}:{node.lineno} rounds: {ast.unparse(node)}"


def test_how_many_calls_may_fail_is_the_venues() -> None:
    """The core counts, and makes no limit but the one that says that there is none."""
    for path in CORE:
        for node in nodes(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "CallLimit":
                assert ast.unparse(node) == "CallLimit(1, 0.0)", f"{name(path)}:{node.lineno}"


def test_rooms_of_the_core() -> None:
    """The door opens on links and on what is proven; the latter uses account and books, which know nobody."""
    modules = {dotted(file) for file in CORE}
    for path in CORE:
        here = path.relative_to(ROOT / "core").with_suffix("").parts[0]
        for found in imports(path):
            for target in targets(found, modules):
                room = target.split(".")[1] if "." in target else ""
                if (ROOT / "core" / room).is_dir() and room:
                    assert room in ROOMS.get(here, ()), shown(found)


def test_the_account_half_has_one_entrance() -> None:
    """Whoever stands outside of `sync` asks `Continuity`, reaches through it to nobody, and sets nothing in it."""
    for path in CORE:
        for node in nodes(path) if path.parent.name != "sync" else ():
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                where = f"{name(path)}:{node.lineno} reaches through {ast.unparse(node)}"
                assert not ast.unparse(node.value.value).endswith("_continuity"), where
            for target in node.targets if isinstance(node, ast.Assign) else ():
                assert "_continuity." not in ast.unparse(target), f"{name(path)}:{target.lineno}"


def test_files_are_short() -> None:
    """One noun each, read at one sitting."""
    assert {name(path) for path in FILES if len(path.read_text().splitlines()) > LONGEST} == set()


def test_rooms_are_small() -> None:
    """A room is seen at one glance."""
    for folder in sorted({path.parent for path in FILES}):
        if folder.parent == ROOT / "core" or folder.name in ("driver", "recording"):
            assert len(list(folder.glob("*.py"))) <= LARGEST + 1, folder.name


def test_venues_keep_to_themselves() -> None:
    """A venue's folder is known to nobody but itself; the registry alone leads to it. No venue knows a transport."""
    for path in FILES:
        for found in imports(path):
            parts = found.module.split(".")
            if parts[:2] == ["adapters", "venues"] and len(parts) > 2 and (ROOT / "/".join(parts[:3])).is_dir():
                assert path.is_relative_to(ROOT / "/".join(parts[:3])) or path.parent.name in OLD_PATHS, shown(found)
            if path.is_relative_to(ROOT / "adapters/venues"):
                assert parts[:2] != ["adapters", "transports"], shown(found)


def test_venues_do_no_io() -> None:
    """A venue knows no event loop, no socket and no clock; of threads only its pace knows, which has a lock."""
    banned = {"anyio", "asyncio", "trio", "time", "socket", "ssl", "select", "http", "concurrent"}
    for path in FILES:
        if not path.is_relative_to(ROOT / "adapters/venues"):
            continue
        for node in nodes(path):
            assert not isinstance(node, (ast.AsyncFunctionDef, ast.Await, ast.AsyncWith, ast.AsyncFor)), name(path)
        for found in imports(path):
            assert found.module.split(".")[0] not in banned, shown(found)
            assert found.module != "urllib.request", shown(found)
            assert found.module != "threading" or path.name == "pace.py", shown(found)


def test_executors_and_transports_know_no_venue() -> None:
    """An executor knows ports alone: it opens no connection and keeps no pace. A transport knows no executor."""
    for path in FILES:
        for found in imports(path):
            if path.is_relative_to(ROOT / "adapters/executors") and found.relative:
                assert found.module.split(".")[0] == "ports", shown(found)
            if path.is_relative_to(ROOT / "adapters/transports"):
                assert found.module.split(".")[:2] not in (["adapters", "venues"], ["adapters", "executors"]), shown(
                    found
                )


def test_arrows_run_one_way() -> None:
    """Adapters may import ports and core, ports core, the core itself; nobody imports the face."""
    for path in FILES:
        allowed = FOLDERS[: FOLDERS.index(path.relative_to(ROOT).parts[0]) + 1]
        for found in imports(path):
            top = found.module.split(".")[0]
            assert top != "listenkey", shown(found)
            assert top not in FOLDERS or (found.relative and top in allowed), shown(found)
            if path.is_relative_to(ROOT / "ports") and not found.relative:
                assert top in sys.stdlib_module_names, shown(found)


def test_imports_inside_are_relative() -> None:
    """Inside the package every import of ours is relative, and leads to something that is there."""
    modules = {dotted(file) for file in [*FILES, *FACE]}
    for path in (*FILES, *FACE):
        for found in imports(path):
            assert found.relative or found.module.split(".")[0] not in (*FOLDERS, "listenkey", "tests"), shown(found)
            if found.relative:
                module = found.module.removeprefix("listenkey.") if path in FACE else found.module
                assert module in modules or any(other.startswith(f"{module}.") for other in modules), shown(found)


def test_no_cycles() -> None:
    """No module is loaded by what it loads."""
    modules = {dotted(path) for path in FILES}
    arrows = {
        dotted(path): {target for found in imports(path) for target in targets(found, modules)} - {dotted(path)}
        for path in FILES
    }
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " -> ".join([*above[above.index(module) :], module])
        if module not in done:
            for target in sorted(arrows[module]):
                visit(target, (*above, module))
            done.add(module)

    for module in sorted(arrows):
        visit(module, ())


def test_every_module_says_what_it_is() -> None:
    """Each module of the core begins with its contract, and is no longer than can be read in one go."""
    for path in CORE:
        module = nodes(path)[0]
        assert isinstance(module, ast.Module)
        assert ast.get_docstring(module), name(path)
        assert len(path.read_text().splitlines()) <= 420, name(path)


def test_the_packages_are_the_folders() -> None:
    """`packages` and `package-dir` name exactly the folders that are there, and no link is left out or dangling."""
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    on_disk = {"listenkey"} | {
        f"listenkey.{dotted(path)}" for path in FILES if path.name == "__init__.py" and "__pycache__" not in path.parts
    }
    with_code = {f"listenkey.{dotted(path.parent / '__init__.py')}" for path in FILES}
    assert with_code | {"listenkey"} == on_disk
    assert set(setup["packages"]) == on_disk
    assert len(setup["packages"]) == len(on_disk)
    assert set(setup["package-dir"]) == on_disk
    for package, folder in setup["package-dir"].items():
        assert (ROOT / folder / "__init__.py").exists()
        assert folder == (package.removeprefix("listenkey.").replace(".", "/") if "." in package else package)
    for folder in FOLDERS:
        link = ROOT / "listenkey" / folder
        assert link.is_symlink()
        assert link.resolve() == (ROOT / folder).resolve()
        assert not link.readlink().is_absolute()


@pytest.mark.parametrize(
    "shown",
    [
        "from listenkey.adapters.bingx.swap import SwapDialect",
        "from listenkey.adapters.mock import MockVenue",
        "from listenkey.core import actions, inputs",
        "from listenkey.core.connection import Connection",
        "from listenkey.core.events import ExchangeEventKind",
        "from listenkey.core.reports import Account",
    ],
)
def test_import_paths_that_were_shown_still_lead_there(shown: str) -> None:
    """A program written by the read-me or the guide of an earlier version finds what it imports, and the same thing."""
    found: dict[str, object] = {}
    exec(shown, found)  # noqa: S102 - lines of our own
    swap = importlib.import_module("listenkey.adapters.venues.bingx.swap")
    assert found.get("SwapDialect", swap.SwapDialect) is swap.SwapDialect


def test_the_bare_core_loads_alone() -> None:
    """Loading the core loads no event loop, no socket, no logging of its own, and neither ports nor adapters."""
    code = (
        "import sys, types\n"
        "import importlib.util\n"
        "face = importlib.util.find_spec('listenkey')\n"
        "package = types.ModuleType('listenkey'); package.__path__ = list(face.submodule_search_locations)\n"
        "sys.modules['listenkey'] = package\n"
        "import listenkey.core.connection\n"
        "print(*sorted(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    loaded = set(done.stdout.split())
    assert "listenkey.core.link.supervisor" in loaded
    assert not {module for module in loaded if module.startswith(("listenkey.ports", "listenkey.adapters"))}
    assert not loaded & {"asyncio", "anyio", "socket", "ssl", "aiohttp", "sqlite3", "rich"}


def test_nothing_generic_is_installed() -> None:
    """The three folders exist only inside the package: no top-level `core`, `ports` or `adapters` can be imported."""
    code = "import importlib.util as i; print(*(i.find_spec(name) for name in ('core', 'ports', 'adapters')))"
    outside = Path(importlib.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600, cwd=outside
    )
    assert done.stdout.split() == ["None"] * 3
