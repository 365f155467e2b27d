"""The number of the core's files that one input passes: a reader who follows it has to open so many."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import listenkey.core.connection
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection

from .trading import TradingWorld, ready

CORE = str(Path(listenkey.core.connection.__file__).parent)
MOST = {"a fill": 19, "a lost socket": 19, "a first frame": 21, "a read": 41}
"""The smallest numbers so far with one noun in each file; they may only become smaller."""


class Followed:
    """A connection that records the files that each input passes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.passed: dict[str, list[frozenset[str]]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def handle(self, received: inputs.Input, *, now: float) -> Sequence[actions.Action]:
        """Call the connection's `handle`, and record the files."""
        files: set[str] = set()

        def called(frame: FrameType, event: str, _: object) -> None:
            if event == "call" and frame.f_code.co_filename.startswith(CORE):
                files.add(frame.f_code.co_filename)

        before = sys.getprofile()
        sys.setprofile(called)
        try:
            return self._connection.handle(received, now=now)
        finally:
            sys.setprofile(before)
            self.passed.setdefault(type(received).__name__, []).append(frozenset(files))


@pytest.fixture
def passed() -> dict[str, int]:
    """The numbers of files for a fill, the loss of its socket, the next one's first frame, and the read after it."""
    world: TradingWorld = ready()
    order = world.exchange.place("10")
    world.passes(1)
    followed = Followed(world.connection)
    world.connection = followed  # type: ignore[assignment]
    world.exchange.fill(order, "1")
    world.passes(0.5)
    fill = followed.passed["FrameReceived"][0]
    followed.passed.clear()
    world.drop_all()
    world.exchange.fill(order, "1")
    world.passes(5)
    found = {
        "a fill": fill,
        "a lost socket": followed.passed["SocketClosed"][0],
        "a first frame": followed.passed["FrameReceived"][0],
        "a read": followed.passed["AccountRead"][0],
    }
    return {name: len(files) for name, files in found.items()}


@pytest.mark.parametrize("name", MOST)
def test_no_input_passes_more_files(passed: dict[str, int], name: str) -> None:
    """If an input needs another file, ask if the work belongs there."""
    assert 5 < passed[name] <= MOST[name]
