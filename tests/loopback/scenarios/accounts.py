"""Scenarios of the shapes in which a venue shows an account, and of calls of the user."""

from __future__ import annotations

import os

from listenkey.adapters.simulator.market import INSTRUMENTS
from listenkey.adapters.simulator.server import Server

from ..harness import UNHURRIED, Run, down
from ..wires import EVERY, PINGS, wire_of
from .table import scenario

STALL = float(os.environ.get("LISTENKEY_STALL", "3"))
"""The least seconds for which a consumer does not read."""
RENEWALS = 0.8


async def dropped_once(run: Run, server: Server) -> None:
    """With this shape too, socket and reads are understood, and a dropped connection loses nothing."""
    await run.live()
    await run.fills_made(8)
    await down(run, server)
    await run.fills_made(5)


@scenario("begins on a busy account", venues=EVERY, busy=True)
async def begins_busy(run: Run, server: Server) -> None:
    """All fills from the first grant on are due, also those of orders that were open before it."""
    await run.fills_made(20)


scenario("one-way mode", venues=EVERY, hedge=False)(dropped_once)
scenario("newer fills", fill_shape="newer")(dropped_once)
scenario("symbol required", symbol_required=True, instruments=INSTRUMENTS[:2])(dropped_once)
scenario("wrapped keys", wrapped_keys=True)(dropped_once)
scenario("snapshots", snapshot_interval=0.5)(dropped_once)


@scenario("polling", venues=EVERY, options={"mode": "poll"}, wired=False)
async def polling(run: Run, server: Server) -> None:
    """With polls alone every fill comes once, and no key is minted."""
    await run.live()
    await run.until(lambda: len(run.consumer.fills()) >= 30, "delivered 30 fills")
    assert not server.log.mints
    assert {fill.source for fill in run.consumer.fills()} == {"poll"}


@scenario("asked to rotate and to read", venues=EVERY, policy=UNHURRIED)
async def asked(run: Run, server: Server) -> None:
    """`rotate()` changes the link without a gap, and `resync()` reads at once."""
    await run.live()
    gaps = len(run.consumer.gaps())
    run.stream.rotate()
    await run.until(lambda: len(server.log.openings) == 2 and server.log.sockets_open == 1, "rotated")
    reads = _reads(server)
    run.stream.resync()
    await run.until(lambda: _reads(server) > reads, "read")
    assert len(run.consumer.gaps()) == gaps


def _reads(server: Server) -> int:
    return sum(call.path.endswith(wire_of(server.venue).read) for call in server.log.calls)


@scenario("slow consumer", policy={"renew_interval": RENEWALS})
async def slow_consumer(run: Run, server: Server) -> None:
    """While the consumer does not read, each ping is answered within two intervals, the key is renewed, and nothing is
    lost.
    """
    await run.live()
    run.consumer.pause()
    openings, delivered = len(server.log.openings), len(run.consumer.events)
    pings, pongs, renewals = server.log.pings_sent, len(server.log.pongs), len(server.log.renewals)
    await run.fills_made(40)
    await run.until(lambda: len(server.log.pongs) >= pongs + STALL / PINGS, "answered the pings of the stall")
    await run.until(lambda: len(server.log.renewals) >= renewals + STALL / RENEWALS, "renewed the key meanwhile")
    assert server.log.pings_sent - pings <= len(server.log.pongs) - pongs + 2
    assert len(run.consumer.events) <= delivered + 1
    assert len(server.log.openings) == openings
    assert all(renewal.ok for renewal in server.log.renewals)
    run.consumer.go_on()
