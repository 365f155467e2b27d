"""The simulated venue is independent: it shares no code with the library that is tested against it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import listenkey.adapters.simulator as simulator

SOURCES = sorted(Path(simulator.__file__).parent.glob("*.py"))
OUTSIDE = {"aiohttp", "msgspec"}
DOORS = {"control.py", "feeds.py", "gateway.py", "handshake.py", "server.py", "sockets.py"}
STANDARD = set(sys.stdlib_module_names)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_it_imports_nothing_of_the_library(source: Path) -> None:
    """The simulator imports only its own modules, the standard library, msgspec, and aiohttp where it serves."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1, ast.unparse(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            for name in names:
                top = name.partition(".")[0]
                assert top in STANDARD | OUTSIDE
                assert top != "aiohttp" or source.name in DOORS


def test_the_model_has_no_clock() -> None:
    """Only the log and the venue read a clock."""
    asking = {path.name for path in SOURCES if "time.monotonic" in path.read_text() or "time.time" in path.read_text()}
    assert asking == {"log.py", "venue.py"}
