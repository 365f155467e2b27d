"""The common parts of ccxt's checks on both wires: the calls of a page's table, and a command for both modes."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import re
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

DOCS = Path(__file__).parents[2] / "docs"
BTC = "BTC/USDT:USDT"
WORKS = "works"
DIFFERENT = "DIFFERENT: "
LEFT_OUT = "is left out, since it is not installed"
PATIENCE = 60.0
"""Seconds within which a stream must bring something."""
EVERY = 25
"""The number of a bot's operations between two comparisons."""
Listed = Sequence[tuple[str, Callable[[], Awaitable[object]]]]


def documented(page: str, code: str) -> dict[str, str]:
    """Return the results in the page's table by call: `works`, or the code with which the call is refused."""
    row = re.compile(rf"^\| ([a-z_`A-Z0-9 ,:-]+?) \| (works|{code})\b[^|]* \|$")
    found = (row.match(line) for line in (DOCS / page).read_text().splitlines())
    return {each[1].replace("`", ""): each[2] for each in found if each}


async def made(calls: Listed, refused: re.Pattern[str]) -> dict[str, str]:
    """Make the calls one after the other; return the result of each."""
    error = importlib.import_module("ccxt").BaseError
    found = {}
    for name, call in calls:
        try:
            await asyncio.wait_for(call(), PATIENCE)
        except error as refusal:
            code = refused.search(str(refusal))
            found[name] = code[1] if code else f"{type(refusal).__name__}: {refusal}"
        else:
            found[name] = WORKS
    return found


def compared(mode: str, listed: dict[str, str], calls: dict[str, str]) -> Iterator[str]:
    """Yield a line for each call that differs from the table, and then the number of calls."""
    for name in sorted({*listed, *calls}):
        if listed.get(name) != calls.get(name):
            yield f"{DIFFERENT}{mode}, {name}: the table says {listed.get(name)}, ccxt has {calls.get(name)}"
    yield f"{mode}: {len(calls)} calls made"


class Acting(Protocol):
    """A bot that counts its operations, and the codes of refusals."""

    done: Counter[str]
    refused: Counter[str]


def deeds(mode: str, bot: Acting) -> str:
    """Return the counts of a bot as one line."""
    done = ", ".join(f"{count} x {name}" for name, count in sorted(bot.done.items()))
    refused = ", ".join(f"{count} x {code}" for code, count in sorted(bot.refused.items()))
    return f"{mode}: {done}; refused {refused or 'nothing'}"


class Requests:
    """The calls about orders that are the same on both wires; `edit` has the parameters of a change."""

    def __init__(self, client: Any, *, hedge: bool, edit: dict[str, Any]) -> None:
        self.client = client
        self.hedge = hedge
        self.mode: dict[str, Any] = {"hedged": True} if hedge else {}
        self._edits = edit

    async def order(self, kind: str, side: str, price: float | None = None, **params: Any) -> Any:
        """Place a small order."""
        return await self.client.create_order(BTC, kind, side, 0.01, price, {**self.mode, **params})

    async def leave(self, kind: str, price: float | None = None, **params: Any) -> Any:
        """Place an order that closes."""
        return await self.order(kind, "sell", price, reduceOnly=True, **params)

    async def several(self) -> None:
        """Place two orders in one call."""
        one = {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": 59_000, "params": {**self.mode}}
        placed = await self.client.create_orders([one, {**one, "price": 59_100}])
        assert [each["status"] for each in placed] == ["open", "open"]

    async def edit(self) -> None:
        """Change the price and quantity of an order."""
        order = await self.order("limit", "buy", 58_500)
        edited = await self.client.edit_order(order["id"], BTC, "limit", "buy", 0.02, 58_000, dict(self._edits))
        assert (edited["price"], edited["amount"], edited["status"]) == (58_000, 0.02, "open")

    async def cancel(self) -> None:
        """Cancel one order."""
        order = await self.order("limit", "buy", 58_500)
        assert (await self.client.cancel_order(order["id"], BTC))["status"] == "canceled"

    async def cancel_several(self) -> None:
        """Cancel two orders in one call."""
        orders = [await self.order("limit", "buy", 58_500) for _ in range(2)]
        cancelled = await self.client.cancel_orders([each["id"] for each in orders], BTC)
        assert [each["id"] for each in cancelled] == [each["id"] for each in orders]

    async def fetch(self) -> None:
        """Fetch an executed order."""
        order = await self.order("market", "buy")
        assert (await self.client.fetch_order(order["id"], BTC))["status"] == "closed"


def command(name: str, about: str, played: Callable[[Namespace], Iterator[str]]) -> int:
    """Run `played` and print its lines; return 1 if one of them is a difference."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.clients.{name}", description=about.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--operations", type=int, default=100)
    began, good, compared = time.monotonic(), True, False
    for line in played(parser.parse_args()):
        good = good and not line.startswith(DIFFERENT)
        compared = compared or LEFT_OUT not in line
        print(line, flush=True)
    same = "all the same" if compared else "nothing was compared"
    print(same if good else "not the same", f"after {time.monotonic() - began:.0f} s")
    return 0 if good else 1
