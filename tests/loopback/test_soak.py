"""The short form of `soak.py`."""

from __future__ import annotations

import asyncio

import pytest

from .soak import TRANSPORTS, Plan, soak_all

pytestmark = pytest.mark.loopback


def test_soak() -> None:
    """Kills, silences, rotations and lost frames in any order, one on top of the other's recovery, lose nothing."""
    for outcome in asyncio.run(soak_all(TRANSPORTS, Plan(fills=120, troubles=2, rate=15, seed=3))):
        assert outcome.good, str(outcome)
        assert set(outcome.troubles.values()) == {2}
