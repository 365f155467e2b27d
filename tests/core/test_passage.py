"""How many files of the core one input passes: a reader who follows it opens so many, and no more."""

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
"""As few as files of one noun each allow so far; it may become less."""


class Followed:
    """A connection of which it is known what each input passed, last first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.passed: dict[str, list[frozenset[str]]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def handle(self, received: inputs.Input, *, now: float) -> Sequence[actions.Action]:
        """The same as the connection's, watched."""
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
    """The files that a fill, the loss of its socket, the next one's first frame and the read after it pass."""
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
    """A file more on the way is a design question: does the work belong there?"""
    assert 5 < passed[name] <= MOST[name]
