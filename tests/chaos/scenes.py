"""Scenes besides storms: a stream that begins under faults, a stopped command line, a wrong clock alone."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from itertools import product
from random import Random
from typing import Any

from listenkey.adapters.driver.venue import open_venue
from listenkey.core.events import from_json
from listenkey.ports.errors import ReadFailed

from ..loopback.delivered import Delivered
from ..loopback.truth import judge
from .certificates import Certificates
from .client import BRISK
from .conditions import RETRY_AFTER, Certified, Status
from .exchange import Exchange, exchange
from .lane import Lane, lane
from .process import Process, running
from .proxy import proxy
from .storm import amiss

PATIENCE = 300.0
SECURE = (True, True)
Scene = Callable[[str, Certificates], Awaitable[None]]
SCENES: dict[str, Scene] = {}


def scene(name: str) -> Callable[[Scene], Scene]:
    """Put a scene into the table."""

    def add(played: Scene) -> Scene:
        SCENES[name] = played
        return played

    return add


async def until(holds: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    """Wait until `holds` returns True. Raises `AssertionError` if it takes too long."""
    end = time.monotonic() + PATIENCE
    while True:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < end, f"never {what}"
        await asyncio.sleep(0.1)


async def fills_made(market: Exchange, more: int) -> int:
    """Wait until the exchange has made `more` fills; return the number of all."""
    goal = await market.quiet(False) + more

    async def made() -> bool:
        return await market.quiet(False) >= goal

    await until(made, f"made {more} fills")
    return goal


async def renewals(way: Lane) -> int:
    """Return the number of renewals so far."""
    return int((await way.exchange.truth())["log"]["counters"]["renewals"])


async def check(way: Lane) -> None:
    """Check everything that must hold at the end. Raises `AssertionError`."""
    verdict, truth = await way.settle(PATIENCE)
    assert await way.client.process.end() == 0
    assert not verdict.wrong, verdict
    assert verdict.ledger == "MATCHED"
    assert verdict.made
    assert not amiss(way, truth)


@scene("begins in trouble")
async def begins_in_trouble(transport: str, papers: Certificates) -> None:
    """A name that does not resolve, an untrusted certificate and one of another host are each logged without secrets;
    none ends the stream, and no request reaches the exchange; without them the stream begins.
    """
    async with lane(transport, papers, seed=5, secure=SECURE, resolve=False) as way:

        def says(what: str) -> Callable[[], bool]:
            return lambda: any(what in line for line in way.client.process.said)

        await until(says("Name or service not known"), "said that the name does not resolve")
        with way.proxy.under(Certified(papers.untrusted)):
            await way.client.order("names", resolve=True)
            await until(says("local issuer certificate"), "said that the certificate is not trusted")
        with way.proxy.under(Certified(papers.foreign)):
            await until(says("Hostname mismatch"), "said that the certificate is another host's")
            assert not [call for call in (await way.exchange.truth())["log"]["calls"] if "/openApi" in call["path"]]
        await way.whole(PATIENCE)
        await fills_made(way.exchange, 20)
        await check(way)


@scene("wall clock")
async def wall_clock(transport: str, papers: Certificates) -> None:
    """Jumps of the wall clock by hours change nothing: no gap, no other socket, no refused timestamp, while fills come,
    keys are renewed and the account is read.
    """
    policy = {"silence_timeout": 15.0, "renew_interval": 1.0, "audit_interval": 1.0, "reorder_window": 60.0}
    async with lane(transport, papers, seed=6, policy=policy) as way:
        before = await way.whole(PATIENCE)
        rng = Random(6)
        for sign in (1, -1, -1, 1):
            hours = rng.uniform(2, 30) * sign
            wall = (await way.client.status()).wall
            after = await way.client.order("jump", seconds=hours * 3600)
            assert abs(after.wall - wall - hours * 3600) < 600
            renewed = await renewals(way)
            await fills_made(way.exchange, 10)

            async def again(renewed: int = renewed) -> bool:
                return await renewals(way) > renewed

            await until(again, "renewed a key")
        after = await way.client.status()
        assert after.proven_until is not None
        assert before.proven_until is not None
        assert after.proven_until > before.proven_until
        truth = await way.exchange.truth()
        assert way.client.gaps() in ([], ["start"])
        assert truth["log"]["counters"]["openings"] == 1
        assert not [call for call in truth["log"]["calls"] if call["code"]]
        await check(way)


@scene("watch stopped")
async def watch_stopped(transport: str, papers: Certificates) -> None:
    """`listenkey watch --json`, stopped for longer than `silence_timeout` and continued, twice, delivers every fill
    once, and ends in order.
    """
    key, delivered = f"key-{secrets.token_hex(12)}", Delivered()
    names = {"LISTENKEY_API_KEY": key, "LISTENKEY_API_SECRET": key[::-1]}
    async with exchange(key, seed=7, rate=20) as market, proxy(market.port) as between:
        since = market.now()
        urls = [f"--rest-url=http://127.0.0.1:{between.plain}", f"--ws-url=ws://127.0.0.1:{between.plain}/swap-market"]
        settings = [f"--set={name}={value}" for name, value in BRISK.items()]
        watch = ["-m", "listenkey", "watch", "--json", "--transport", transport, *urls, *settings]
        async with running(watch, lambda line: delivered.take(from_json(line)), names) as process:
            await until(lambda: bool(delivered.kinds("ACCOUNT_UPDATE")), "delivered the account")
            for _ in range(2):
                await fills_made(market, 10)
                process.stop()
                await asyncio.sleep(3 * BRISK["silence_timeout"])
                await fills_made(market, 1)
                process.go_on()
                fills = len(delivered.fills())
                await until(lambda fills=fills: len(delivered.fills()) > fills, "delivered fills again")  # type: ignore[misc]
            await market.quiet()
            truth = await market.truth()
            await until(lambda: not judge(delivered.events, truth, since=since).wrong, "delivered the truth")
            await _ended_well(process, key)
    verdict = judge(delivered.events, truth, since=since)
    assert not verdict.wrong, verdict
    assert verdict.made
    assert not delivered.wrong


async def _ended_well(process: Process, key: str) -> None:
    assert await process.end() == 0
    said = "\n".join(process.said)
    # The number of reads that were under way at the stop, and so failed, depends on the machine.
    assert all(" failed (" in line or "reads held back (" in line for line in process.said), said
    assert key not in said


@scene("statuses")
async def statuses(transport: str, papers: Certificates) -> None:
    """418, 429 and 503, with a time in seconds, as a date or without, each fail one read twice, with a message.

    Each has an API key of its own, since so many failures of one key would be spaced.
    """
    met = [(f"key-{secrets.token_hex(12)}", code, form) for code, form in product((418, 429, 503), RETRY_AFTER)]
    key = met[0][0]
    others = [other for other, *_ in met[1:]]
    async with exchange(key, seed=8, rate=1, others=others) as market, proxy(market.port) as between:
        urls: dict[str, Any] = {
            "rest_url": f"http://127.0.0.1:{between.plain}",
            "ws_url": f"ws://127.0.0.1:{between.plain}/swap-market",
        }
        for key, code, form in met:
            async with open_venue(
                "bingx-swap", api_key=key, api_secret=key[::-1], transport=transport, **urls
            ) as venue:
                with between.under(Status(code, wait=1, retry_after=form, scope="all", count=2)):
                    error: ReadFailed | None = None
                    try:
                        await venue.account_snapshot()
                    except ReadFailed as failed:
                        error = failed
                    assert f"HTTP {code}" in str(error)
                assert (await venue.account_snapshot()).complete
