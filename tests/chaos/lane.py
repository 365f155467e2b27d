"""One transport's lane: a client, a proxy and an exchange, and the faults between them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ..loopback.truth import Verdict, judge
from .certificates import HOST, Certificates
from .client import Client, Status, client
from .conditions import Condition
from .exchange import Exchange, exchange
from .proxy import Proxy, proxy

TRANSPORTS = ("aiohttp", "websockets")
FAILURE_WINDOW = 30.0
"""The window of failing calls, s: 480 at the venue, shortened like the times of the policy."""


class Suffered(NamedTuple):
    """A fault that was carried out: exchange times of its beginning and end, ms, and the times it took effect."""

    name: str
    began: int
    ended: int
    bitten: int


class Lane:
    """A client in a process, a proxy here, and an exchange in another process; fills are made all the time."""

    def __init__(
        self, transport: str, key: str, market: Exchange, between: Proxy, follower: Client, papers: Certificates
    ) -> None:
        self.transport = transport
        self.key = key
        self.exchange = market
        self.proxy = between
        self.client = follower
        self.certificates = papers
        self.suffered: list[Suffered] = []
        self.calm_after: list[float] = []
        """Seconds from the end of each group of faults until the stream was whole."""

    async def whole(self, seconds: float) -> Status:
        """Wait until the stream is whole. Raises `AssertionError` if it is not within `seconds`."""
        began = time.monotonic()
        while True:
            status = await self.client.status()
            if status.live and not self.client.gap_open:
                self.calm_after.append(time.monotonic() - began)
                return status
            if time.monotonic() - began > seconds:
                raise AssertionError(f"{self.transport}: not whole after {seconds:.0f} s: {status} {self.last_words}")
            await asyncio.sleep(0.05)

    async def hold(self, seconds: float, *conditions: Condition, patience: float = 12.0) -> None:
        """Let conditions hold for `seconds`, and then until each has taken effect, at most `patience` more seconds."""
        with self.proxy.under(*conditions):
            await asyncio.sleep(seconds)
            until = time.monotonic() + patience
            while time.monotonic() < until:
                if all(condition.bitten for condition in conditions):
                    return
                await asyncio.sleep(0.05)

    async def settle(self, seconds: float) -> tuple[Verdict, dict[str, Any]]:
        """Stop the activity, wait until the stream has found everything by itself, and judge."""
        await self.exchange.quiet()
        until = time.monotonic() + seconds
        while True:
            truth = await self.exchange.truth()
            status = await self.client.status()
            assert status.began is not None, f"{self.transport} never began: {self.last_words}"
            verdict = judge(self.client.events, truth, since=status.began, books=status.books)
            if time.monotonic() > until or (status.live and not self.client.gap_open and not verdict.wrong):
                return verdict, truth
            await asyncio.sleep(0.5)

    @property
    def last_words(self) -> list[str]:
        """The last five lines that the client wrote to stderr."""
        return self.client.process.said[-5:]


@asynccontextmanager
async def lane(
    transport: str,
    papers: Certificates,
    *,
    seed: int,
    rate: float = 15.0,
    secure: tuple[bool, bool] = (False, False),
    policy: Mapping[str, float] | None = None,
    resolve: bool = True,
) -> AsyncIterator[Lane]:
    """Run a lane whose stream is about to begin; `secure` is True for TLS, of REST and of the socket."""
    key = f"key-{secrets.token_hex(12)}"
    async with exchange(key, seed=seed, rate=rate) as market, proxy(market.port, papers.right) as between:
        rest, ws = (between.secure if each else between.plain for each in secure)
        setting = {
            "transport": transport,
            "rest_url": f"http{'s' * secure[0]}://{HOST}:{rest}",
            "ws_url": f"ws{'s' * secure[1]}://{HOST}:{ws}/swap-market",
            "key": key,
            "policy": policy or {},
            "resolve": resolve,
            "seed": seed,
            "trusted": str(papers.trusted),
            "failure_window": FAILURE_WINDOW,
        }
        async with client(setting) as follower:
            yield Lane(transport, key, market, between, follower, papers)
