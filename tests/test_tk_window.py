"""`examples/tk_window.py`: its loop with a stand-in for Tk's `after()`; the real window is `python -m tests.window`."""

from __future__ import annotations

import importlib
import queue
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from listenkey import ExchangeEvent, Refusal, RefusalKind
from listenkey.adapters.mock import MockVenue
from listenkey.adapters.testing.exchange import SimulatedExchange

EXAMPLES = Path(__file__).parents[1] / "examples"
PATIENCE = 300.0


class Root:
    """A window of Tk as a loop sees it: `after`, and a button that closes it."""

    def __init__(self) -> None:
        self.due: list[tuple[int, Callable[[], None]]] = []
        self.button: Callable[[], None] = lambda: None
        self.destroyed = False

    def after(self, delay: int, work: Callable[[], None]) -> None:
        self.due.append((delay, work))

    def protocol(self, name: str, work: Callable[[], None]) -> None:
        assert name == "WM_DELETE_WINDOW"
        self.button = work

    def destroy(self) -> None:
        self.destroyed = True

    def run(self) -> int:
        """Do what is due, as the loop of Tk does; after how many milliseconds it was asked for."""
        (delay, work) = self.due.pop()
        assert not self.due
        work()
        return delay


class Feed:
    """In place of a client: a queue, and whether it was stopped."""

    def __init__(self, *events: ExchangeEvent | None) -> None:
        self.events: queue.SimpleQueue[ExchangeEvent | None] = queue.SimpleQueue()
        self.error: Refusal | None = None
        self.stopped = 0
        self.put(*events)

    def put(self, *events: ExchangeEvent | None) -> None:
        for event in events:
            self.events.put(event)

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, loaded as its directory is when it runs; Tk is not imported by that."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("tk_window")


def shown(window: Any) -> str:
    return str(window.texts[-1])


def opened(example: ModuleType, client: Any) -> tuple[Root, Any]:
    root, texts = Root(), []
    window = example.Window(root, client, lambda account: texts.append(example.text_of(account)))
    window.texts = texts
    return root, window


def test_the_window_shows_health_positions_and_the_last_fills(example: ModuleType) -> None:
    """Each fill once, the newest first, with its last revision; a position that turned round is on the other side."""
    venue = MockVenue(balance=10_000)
    for price in range(100, 120):
        venue.fill(qty=1, price=price)
    venue.revise(venue.fill(side="SELL", qty=21, price=130), price=131)
    venue.fill(symbol="ETH-USDT", qty=2, price=5, position_side="LONG")
    venue.gap()
    root, window = opened(example, Feed(*venue.fed))
    assert root.run() == 0
    lines = shown(window).splitlines()
    assert lines[0] == "BLIND, 1 gaps so far"
    assert lines[2].split() == ["BTC-USDT", "SHORT", "1"]
    assert lines[3].split() == ["ETH-USDT", "LONG", "2"]
    assert lines[5].split() == ["ETH-USDT", "BUY", "2", "at", "5"]
    assert lines[6].split() == ["BTC-USDT", "SELL", "21", "at", "131"]
    assert [line.split()[-1] for line in lines[7:]] == [f"{price}" for price in range(119, 109, -1)]
    venue.reconnect()
    window.client.put(*venue.fed[-4:])
    assert root.run() == example.EVERY
    assert shown(window).startswith("LIVE, 1 gaps")


def test_a_look_takes_only_so_many_events(example: ModuleType) -> None:
    """However many there are the window is drawn and can be closed in between, and nothing is lost or waited for."""
    venue = MockVenue()
    venue.session(1, 300)
    assert len(venue.fed) > 2 * example.AT_ONCE
    root, window = opened(example, Feed(*venue.fed))
    looks = 0
    while window.client.events.qsize():
        root.run()
        looks += 1
    assert looks == -(-len(venue.fed) // example.AT_ONCE)


def test_closing_waits_for_the_end_of_the_client(example: ModuleType) -> None:
    """The button stops it; the window goes when all is closed, or at once if somebody insists."""
    root, window = opened(example, Feed())
    root.run()
    root.button()
    assert (window.client.stopped, root.destroyed) == (1, False)
    root.run()
    assert not root.destroyed
    window.client.put(None)
    root.run()
    assert (root.destroyed, root.due) == (True, [])
    impatient, _ = opened(example, Feed())
    impatient.button()
    impatient.button()
    assert impatient.destroyed


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, "ended, 0 gaps so far"),
        (Refusal(RefusalKind.FATAL, "100413", "Incorrect apiKey"), "ended: Incorrect apiKey, 0 gaps so far"),
        (Refusal(RefusalKind.FATAL, "100413"), "ended: 100413, 0 gaps so far"),
    ],
)
def test_a_client_that_ends_by_itself_leaves_the_window_open(
    example: ModuleType, error: Refusal | None, line: str
) -> None:
    """It says why, and looks no more; then the button closes it at once."""
    root, window = opened(example, Feed(None))
    window.client.error = error
    root.run()
    assert (shown(window).splitlines()[0], root.due, root.destroyed) == (line, [], False)
    root.button()
    assert root.destroyed


@pytest.mark.loopback
def test_the_window_of_a_simulated_account(example: ModuleType) -> None:
    """With the client itself: a fill on the exchange is a line in the window, and closing it deletes the key."""
    with SimulatedExchange() as exchange:
        root, window = opened(example, example.Watched("bingx-swap", **exchange.access))
        end = time.monotonic() + PATIENCE

        def until(holds: Callable[[], bool]) -> None:
            while not holds():
                assert time.monotonic() < end, shown(window)
                time.sleep(min(root.run(), 20) / 1000)

        until(lambda: bool(window.texts) and shown(window).startswith("LIVE"))
        exchange.trade("BTC-USDT", "BUY", Decimal("0.5"))
        until(lambda: " 0.5 at " in shown(window))
        root.button()
        until(lambda: root.destroyed)
        log = exchange.truth()["log"]
    assert log["mints"][-1]["key"] in {deletion["key"] for deletion in log["deletions"]}


def test_the_refusal_that_ends_a_client_is_kept(example: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the action that ends the stream; everything goes on to the client of `threads.py`."""
    done: list[object] = []
    monkeypatch.setattr(example.Client, "do", lambda _client, action: done.append(action))
    client = example.Watched.__new__(example.Watched)
    end = example.actions.Finish(Refusal(RefusalKind.FATAL, "100413"))
    client.do(end)
    assert (client.error, done) == (end.error, [end])
