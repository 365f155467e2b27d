"""The names that `import listenkey` offers; none of them loads before it is asked for."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import listenkey

SOURCE = Path(__file__).parents[1] / "listenkey" / "__init__.py"


def for_type_checkers() -> dict[str, str]:
    """The names that a type checker sees, each with its module."""
    tree = ast.parse(SOURCE.read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f".{node.module}" for node in imports for alias in node.names}


def test_what_a_type_checker_sees_is_what_there_is() -> None:
    """The same names, from the same modules."""
    seen = for_type_checkers()
    assert sorted(seen) == listenkey.__all__
    for name, module in seen.items():
        assert getattr(listenkey, name) is getattr(importlib.import_module(module, "listenkey"), name)
    assert set(listenkey.__all__) <= set(dir(listenkey))


def test_a_name_that_there_is_not() -> None:
    """An `AttributeError` and an `ImportError`, as from any module."""
    with pytest.raises(AttributeError, match="no attribute 'Fills'"):
        listenkey.Fills  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Fills'"):
        exec("from listenkey import Fills", {})  # noqa: S102


@pytest.mark.parametrize(("name", "loaded"), [("__version__", ""), ("ReadFailed", "core.events"), ("Fill", "adapters")])
def test_nothing_loads_before_it_is_asked_for(name: str, loaded: str) -> None:
    """The version costs nothing, an error no events, an event no driver."""
    code = f"import sys, listenkey; listenkey.{name}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    inside = [module for module in done.stdout.split() if module.startswith(f"listenkey.{loaded}")]
    assert not inside


def test_a_venue_is_opened_without_what_it_may_never_need() -> None:
    """A journal and a recording load when one is asked for; asyncio with the loop that somebody runs."""
    code = (
        "import sys, listenkey\n"
        "listenkey.open_venue('bingx-swap', api_key='none', api_secret='none', transport='websockets')\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sqlite3", "listenkey.adapters.recording.recorder", "asyncio"} & set(done.stdout.split())
