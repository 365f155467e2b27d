"""The table of what becomes of a bot under faults; the bots live in `python -m tests.clients.bots`, with ccxt."""

from __future__ import annotations

from listenkey.adapters.simulator.faults import FAULTS, TRADING

from .bots import CASES, RIGHT, documented


def test_the_page_lists_every_life() -> None:
    """Each fault that befalls orders has a row, and each row is a life."""
    listed = documented()
    assert list(listed) == [case.fault for case in CASES]
    assert {*TRADING} < {*listed} <= {*FAULTS, "no fault"}


def test_the_bot_on_ccxt_alone_fails() -> None:
    """Not by itself, but under five faults at least, and the page says how."""
    listed = documented()
    assert listed.pop("no fault") == (RIGHT,)
    assert sum(RIGHT not in said for said in listed.values()) >= 5
