"""The table of the bots' states under faults; the bots run in `python -m tests.clients.bots`, with ccxt."""

from __future__ import annotations

from listenkey.adapters.simulator.faults import FAULTS, TRADING

from .bots import CASES, RIGHT, documented


def test_the_page_lists_every_life() -> None:
    """Each fault of orders has a row, and each row a case."""
    listed = documented()
    assert list(listed) == [case.fault for case in CASES]
    assert {*TRADING} < {*listed} <= {*FAULTS, "no fault"}


def test_the_bot_on_ccxt_alone_fails() -> None:
    """The bot on ccxt alone is right without faults, and fails under at least five of them, by the page."""
    listed = documented()
    assert listed.pop("no fault") == (RIGHT,)
    assert sum(RIGHT not in said for said in listed.values()) >= 5
