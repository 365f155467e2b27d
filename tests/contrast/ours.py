"""The follower with listenkey: a venue and a stream."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Self

import listenkey

POLICY = listenkey.Policy(
    silence_timeout=3.0,
    backoff_initial=0.2,
    backoff_max=0.4,
    healthy_after=0.5,
    audit_interval=2.0,
    backfill_overlap=0.3,
    poll_interval=0.5,
)
"""Shorter times than the defaults, which are for a venue that pings every 5 s; this one pings every second."""


class Listenkey:
    """A follower with a brisk policy."""

    name = "listenkey"

    def __init__(self, rest_url: str, ws_url: str) -> None:
        self.fills: list[str] = []
        self.warnings = 0
        self._venue = listenkey.open_venue(
            "bingx-swap", api_key="simulated", api_secret="simulated", rest_url=rest_url, ws_url=ws_url, policy=POLICY
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._venue)
        self._stream = await self._stack.enter_async_context(self._venue.subscribe())
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._stack.aclose()

    async def _run(self) -> None:
        async for event in self._stream:
            if isinstance(event, listenkey.Fill):
                self.fills.append(event.order_id)
            elif event.kind is listenkey.ExchangeEventKind.GAP_OPENED:
                self.warnings += 1

    @property
    def ready(self) -> bool:
        """True if by its own account nothing is missing."""
        return self._stream.health is listenkey.Health.LIVE

    async def wallet(self) -> Decimal | str | None:
        """Return the balance of a snapshot of the whole account."""
        try:
            account = await self._venue.account_snapshot()
        except listenkey.ReadFailed as error:
            return type(error).__name__
        return next(balance.wallet_balance for balance in account.balances if balance.asset == "USDT")
