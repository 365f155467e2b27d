"""The common parts of the checks of ccxt on both wires: the calls of a page's table, and a command for both modes."""

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
"""Seconds after which a stream that has brought nothing is no stream."""
EVERY = 25
"""Operations of a bot between two comparisons."""
Listed = Sequence[tuple[str, Callable[[], Awaitable[object]]]]


def documented(page: str, code: str) -> dict[str, str]:
    """Return the results that the page's table names, by call: `works`, or the code with which the call is refused."""
    row = re.compile(rf"^\| ([a-z_`A-Z0-9 ,:-]+?) \| (works|{code})\b[^|]* \|$")
    found = (row.match(line) for line in (DOCS / page).read_text().splitlines())
    return {each[1].replace("`", ""): each[2] for each in found if each}


async def made(calls: Listed, refused: re.Pattern[str]) -> dict[str, str]:
    """Make them one after the other; what came of each."""
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
    """Yield a line for each call that differs from the table, then the number of calls made."""
    for name in sorted({*listed, *calls}):
        if listed.get(name) != calls.get(name):
            yield f"{DIFFERENT}{mode}, {name}: the table says {listed.get(name)}, ccxt has {calls.get(name)}"
    yield f"{mode}: {len(calls)} calls made"


class Acting(Protocol):
    """A bot that counts what it did, and the codes with which it was refused."""

    done: Counter[str]
    refused: Counter[str]


def deeds(mode: str, bot: Acting) -> str:
    """The counts of a bot in one line."""
    done = ", ".join(f"{count} x {name}" for name, count in sorted(bot.done.items()))
    refused = ", ".join(f"{count} x {code}" for code, count in sorted(bot.refused.items()))
    return f"{mode}: {done}; refused {refused or 'nothing'}"


class Requests:
    """The requests about orders that are the same on both wires; `edit` are the parameters of a change."""

    def __init__(self, client: Any, *, hedge: bool, edit: dict[str, Any]) -> None:
        self.client = client
        self.hedge = hedge
        self.mode: dict[str, Any] = {"hedged": True} if hedge else {}
        self._edits = edit

    async def order(self, kind: str, side: str, price: float | None = None, **params: Any) -> Any:
        """A small order."""
        return await self.client.create_order(BTC, kind, side, 0.01, price, {**self.mode, **params})

    async def leave(self, kind: str, price: float | None = None, **params: Any) -> Any:
        """An order that closes."""
        return await self.order(kind, "sell", price, reduceOnly=True, **params)

    async def several(self) -> None:
        """Two at once."""
        one = {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": 59_000, "params": {**self.mode}}
        placed = await self.client.create_orders([one, {**one, "price": 59_100}])
        assert [each["status"] for each in placed] == ["open", "open"]

    async def edit(self) -> None:
        """Another price and quantity."""
        order = await self.order("limit", "buy", 58_500)
        edited = await self.client.edit_order(order["id"], BTC, "limit", "buy", 0.02, 58_000, dict(self._edits))
        assert (edited["price"], edited["amount"], edited["status"]) == (58_000, 0.02, "open")

    async def cancel(self) -> None:
        """One."""
        order = await self.order("limit", "buy", 58_500)
        assert (await self.client.cancel_order(order["id"], BTC))["status"] == "canceled"

    async def cancel_several(self) -> None:
        """Two at once."""
        orders = [await self.order("limit", "buy", 58_500) for _ in range(2)]
        cancelled = await self.client.cancel_orders([each["id"] for each in orders], BTC)
        assert [each["id"] for each in cancelled] == [each["id"] for each in orders]

    async def fetch(self) -> None:
        """One that has executed."""
        order = await self.order("market", "buy")
        assert (await self.client.fetch_order(order["id"], BTC))["status"] == "closed"


def command(name: str, about: str, played: Callable[[Namespace], Iterator[str]]) -> int:
    """Print the lines of what is played; 1 if one of them says that something is different."""
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
