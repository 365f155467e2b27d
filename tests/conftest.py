"""The hooks of all tests. Long files begin first: none of them is left to one process when the others have done."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

LONG = (
    "chaos/test_chaos.py",
    "loopback/test_over_aiohttp.py",
    "loopback/test_over_websockets.py",
    "loopback/test_others_over_aiohttp.py",
    "loopback/test_others_over_websockets.py",
    "adapters/cli/test_demo.py",
    "adapters/cli/test_watch.py",
    "simulation/test_kinds.py",
    "simulation/test_simulation.py",
    "parity/test_parity.py",
    "simulation/test_usdm.py",
    "benchmarks/test_sides.py",
    "benchmarks/test_harness.py",
)
"""Files by what they take, longest first; the others follow in their own order."""
PLACE = {Path(__file__).parent / name: place for place, name in enumerate(LONG)}


def pytest_configure() -> None:
    """A shell has what it starts in the background ignore Ctrl-C, and so would the processes that tests interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests so; those of a file stay as they are."""
    items.sort(key=lambda item: PLACE.get(item.path, len(PLACE)))
