"""The same over aiohttp, on the wires of all other venues: another file, so that another process plays it."""

from __future__ import annotations

import pytest

from .scenario_tests import test_each_is_played, test_scenario
from .scenarios import played
from .wires import spoken

__all__ = ("test_each_is_played", "test_scenario")
pytestmark = pytest.mark.loopback
LINES = [line for line in played("aiohttp") if line.wire not in spoken("bingx-swap")]
