"""`examples/threads.py` and `bare_trio.py`: the whole client with REST, without anyio and our driver."""

from __future__ import annotations

import os
import queue
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from listenkey import ExchangeEvent, GapNotice, Health, HealthChange, inputs
from listenkey.adapters.cli.verdict import Verdict, judge
from listenkey.adapters.simulator.faults import RECOVERABLE, draw_faults
from listenkey.adapters.testing.exchange import SimulatedExchange

pytestmark = pytest.mark.loopback
EXAMPLES = Path(__file__).parents[2] / "examples"
SECONDS = float(os.environ.get("LISTENKEY_SECONDS", "8"))
"""The seconds in which faults happen: a minute in `make soak`."""
EACH = 1.2
"""The mean seconds between two faults."""
FILLS = 20
"""The fewest fills of a run, also on a slow machine."""
PATIENCE = 300.0
QUICK = {
    "backoff_initial": 0.2,
    "backfill_overlap": 0.5,
    "silence_timeout": 2,
    "audit_interval": 2,
    "rotate_after": 3,
    "rotate_jitter": 0,
    "drain": 0.5,
}
DRAWN = draw_faults(1, int(SECONDS / EACH), SECONDS, sorted({*RECOVERABLE} - {"rest_empty_amounts"}))
Events = list[ExchangeEvent]


def in_threads(exchange: SimulatedExchange, watching: Callable[[Events], None]) -> Events:
    """Return all events of a client in threads, which is stopped when `watching` returns."""
    delivered: Events = []
    client = runpy.run_path(str(EXAMPLES / "threads.py"))["Client"]("bingx-swap", **exchange.access, **QUICK)

    def watch() -> None:
        watching(delivered)
        client.stop()

    threading.Thread(target=watch, daemon=True).start()
    events: queue.SimpleQueue[ExchangeEvent | None] = client.events
    while (event := events.get(timeout=2 * PATIENCE)) is not None:
        delivered.append(event)
    return delivered


def on_trio(exchange: SimulatedExchange, watching: Callable[[Events], None]) -> Events:
    """Return all events of a client on trio, which is stopped when `watching` returns."""
    delivered: Events = []
    make = runpy.run_path(str(EXAMPLES / "bare_trio.py"))["Client"]

    async def main() -> None:
        client = make("bingx-swap", **exchange.access, **QUICK)

        async def watch() -> None:
            await trio.to_thread.run_sync(watching, delivered)
            client.feed(inputs.Stop())

        with trio.fail_after(2 * PATIENCE):
            async with trio.open_nursery() as tasks:
                tasks.start_soon(client.run)
                tasks.start_soon(watch)
                async for event in client.events:
                    delivered.append(event)

    trio.run(main)
    return delivered


def judged(delivered: Events, truth: dict[str, Any]) -> Verdict:
    log = truth["log"]
    since = int(truth["now"] - (log["now"] - log["mints"][0]["at"]) * 1000)
    return judge(tuple(delivered), (), truth, since=since, proven=False)


def is_settled(delivered: Events) -> bool:
    """True if by the last delivered events no gap is open and the stream is LIVE."""
    gaps = [event for event in delivered if isinstance(event, GapNotice)]
    healths = [event.health for event in delivered if isinstance(event, HealthChange)]
    opened = sum(event.kind == "GAP_OPENED" for event in gaps) - sum(event.kind == "GAP_CLOSED" for event in gaps)
    return bool(healths) and healths[-1] is Health.LIVE and opened == 0


@pytest.mark.parametrize("lived", [in_threads, on_trio], ids=["threads", "trio"])
@pytest.mark.listenkey_exchange(seed=1, faults=DRAWN, fills_per_second=6.0, ping_interval=0.5, rate_limits=False)
def test_every_fill_once_whatever_happens(lived: Callable[..., Events], listenkey_exchange: SimulatedExchange) -> None:
    """Under many faults each fill is delivered once and right; at the end sockets are closed and keys deleted."""
    exchange = listenkey_exchange

    def until(holds: Callable[[], bool]) -> None:
        patience = time.monotonic() + PATIENCE
        while not holds() and time.monotonic() < patience:
            time.sleep(0.1)

    def watching(delivered: Events) -> None:
        until(lambda: is_settled(list(delivered)))
        exchange.quiet(False)
        time.sleep(SECONDS)
        until(lambda: len(exchange.truth()["fills"]) >= FILLS)
        exchange.quiet()
        until(lambda: is_settled(list(delivered)) and not judged(delivered, exchange.truth()).lost)

    exchange.quiet()
    delivered = lived(exchange, watching)
    truth = exchange.truth()
    verdict, log = judged(delivered, truth), truth["log"]
    assert verdict.wrong == ()
    assert verdict.made >= FILLS
    assert log["sockets_open"] == 0
    assert log["mints"][-1]["key"] in {deletion["key"] for deletion in log["deletions"]}


@pytest.mark.parametrize(("name", "without"), [("threads", {"anyio", "asyncio"}), ("bare_trio", {"anyio"})])
def test_what_they_do_not_need(name: str, without: set[str]) -> None:
    """The first imports no event loop, and neither imports anyio."""
    code = f"import runpy, sys; runpy.run_path({str(EXAMPLES / name)!r} + '.py'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert without.isdisjoint(done.stdout.split())
