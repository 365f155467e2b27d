"""The scenarios over aiohttp on the wires of BingX: under all faults every fill comes once, and the books match."""

from __future__ import annotations

import pytest

from .scenario_tests import test_each_is_played, test_scenario
from .scenarios import played
from .wires import spoken

__all__ = ("test_each_is_played", "test_scenario")
pytestmark = pytest.mark.loopback
LINES = [line for line in played("aiohttp") if line.wire in spoken("bingx-swap")]
