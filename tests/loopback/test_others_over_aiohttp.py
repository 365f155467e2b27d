"""The scenarios over aiohttp, on the wires of all venues but BingX: a file of its own for a process of its own."""

from __future__ import annotations

import pytest

from .scenario_tests import test_each_is_played, test_scenario
from .scenarios import played
from .wires import spoken

__all__ = ("test_each_is_played", "test_scenario")
pytestmark = pytest.mark.loopback
LINES = [line for line in played("aiohttp") if line.wire not in spoken("bingx-swap")]
