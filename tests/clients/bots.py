"""The two bots of `examples/` under faults: the holding and belief of each at the end are compared with a table.

    python -m tests.clients.bots

The bot on ccxt alone fails as in the table of docs/trading-against-it.md, and the one on listenkey's stream is right
under every fault. The exit code is 1 if something differs, 2 if ccxt is not installed.
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

import listenkey
from listenkey.adapters.simulator.orders import STOP_LOSSES
from listenkey.adapters.simulator.server import Server
from listenkey.adapters.testing.exchange import Access
from listenkey.adapters.testing.redirect import redirect

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "trading-against-it.md"
RIGHT = "right"
SIZE = Decimal("0.01")
LOOK = 0.1
STEADY = 10
"""The number of equal checks in a row after which a state counts as steady."""
PATIENCE = 120.0
POLICY = listenkey.Policy(
    silence_timeout=3.0, backoff_initial=0.2, backoff_max=0.4, healthy_after=0.5, audit_interval=2, backfill_overlap=0.3
)
"""Shorter times than the defaults, which are for a venue that pings every 5 s; this one pings every second."""


class Case(NamedTuple):
    """A fault, which is ordered when the bot begins, or when it has `done` its work."""

    fault: str
    details: Mapping[str, Any] = MappingProxyType({})
    done: bool = False


CASES = (
    Case("no fault"),
    Case("lose_answer"),
    Case("late_cancel"),
    Case("partial_cancel"),
    Case("reject_reduce_only"),
    Case("limit_bracket", {"calls": 2, "lasting": 3.0}),
    Case("stop_while_away", done=True),
    Case("lose_frame", {"account": True}),
    Case("repeat_frame"),
    Case("stream_behind", {"by": 1.0, "seconds": 10.0}),
    Case("stream_ahead", {"by": 0.5, "seconds": 10.0}),
)


def documented() -> dict[str, tuple[str, ...]]:
    """Return the states of the bot on ccxt alone in the page's table, by fault; several if timing decides."""
    found = re.search("<!-- bots: begin -->\n(.*?)<!-- bots: end -->", PAGE.read_text(), re.DOTALL)
    rows = (line.strip("| ").split(" | ") for line in (found[1] if found else "").splitlines()[2:])
    return {row[0].strip("`"): tuple(row[1].split(", or ")) for row in rows}


def state(exchange: Server, position: Decimal) -> str:
    """Return the error in the bot's holding, belief and stop at the end, or `RIGHT` if there is none."""
    held = exchange.exchange.account.position("BTC-USDT", "BOTH").qty
    waiting = list(exchange.exchange.open.values())
    stops = sum((each.qty for each in waiting if each.type in STOP_LOSSES), Decimal(0))
    bids = sum((each.remaining for each in waiting if each.side == "BUY"), Decimal(0))
    wrong = {
        f"holds {held}": held not in (SIZE, 0),
        f"believes {position} and holds {held}": position != held,
        f"{held - stops} without a stop": stops < held,
        f"an order to buy {bids} is open": bids > 0,
        "a stop for nothing is open": stops > held,
    }
    return ", ".join(each for each, so in wrong.items() if so) or RIGHT


async def steady(so: Callable[[], bool]) -> None:
    """Wait until `so` returns True for a while. Raises `TimeoutError` if it does not."""
    seen = 0
    async with asyncio.timeout(PATIENCE):
        while seen < STEADY:
            seen = seen + 1 if so() else 0
            await asyncio.sleep(LOOK)


async def lived(case: Case, *, proven: bool, expected: tuple[str, ...]) -> str:
    """Run one bot; return its state as soon as it is an expected one, else that at the end."""
    ccxt = importlib.import_module("ccxt.pro")
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(Server(hedge=False, ping_interval=1.0, rate_limits=False))
        access: Access = {
            "api_key": exchange.api_key,
            "api_secret": exchange.api_secret,
            "rest_url": exchange.rest_url,
            "ws_url": exchange.ws_url,
        }
        client = redirect(ccxt.bingx({"timeout": 60_000, "enableRateLimit": False}), **access)
        stack.push_async_callback(client.close)
        if proven:
            venue = listenkey.open_venue("bingx-swap", policy=POLICY, **access)
            bot = example("listenkey_bot").ProvenBot(client, await stack.enter_async_context(venue))
        else:
            bot = example("ccxt_bot").Bot(client)
        await client.load_markets()
        followed = asyncio.create_task(bot.follow())
        stack.push_async_callback(ended, followed)
        await steady(lambda: len(exchange.hub) > 0)
        if case.fault != "no fault" and not case.done:
            exchange.fault(case.fault, **case.details)
        error = ""
        try:
            await bot.run()
        except (ccxt.BaseError, TimeoutError) as raised:
            error = f"ends with {type(raised).__name__}, "
        if case.done:
            exchange.fault(case.fault, **case.details)
        with suppress(TimeoutError):
            await steady(lambda: error + state(exchange, bot.position) in expected)
        return error + state(exchange, bot.position)


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task, and wait for its end. Its own exception is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def example(name: str) -> ModuleType:
    """Return a program of `examples/` as a module."""
    folder = str(ROOT / "examples")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


async def all_lived(listed: dict[str, tuple[str, ...]]) -> list[tuple[Case, bool, tuple[str, ...], str]]:
    """Run each case with each bot, all at once; return case, True for listenkey's bot, expected states, and state."""
    asked = [
        (case, proven, (RIGHT,) if proven else listed.get(case.fault, ())) for proven in (False, True) for case in CASES
    ]
    lives: list[Awaitable[str]] = [lived(case, proven=proven, expected=said) for case, proven, said in asked]
    return [(*each, was) for each, was in zip(asked, await asyncio.gather(*lives), strict=True)]


def main() -> int:
    """Run the command."""
    if importlib.util.find_spec("ccxt") is None:
        print("ccxt is not installed: make .venv/.bench", file=sys.stderr)
        return 2
    began, listed = time.monotonic(), documented()
    found = asyncio.run(all_lived(listed))
    for case, proven, expected, was in found:
        who = "listenkey" if proven else "ccxt alone"
        print(f"{'' if was in expected else 'DIFFERENT: '}{who}, {case.fault}: {was}")
    good = all(was in expected for _, _, expected, was in found) and listed.keys() == {case.fault for case in CASES}
    print("as the page says" if good else f"{PAGE.name} says something else", f"after {time.monotonic() - began:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
