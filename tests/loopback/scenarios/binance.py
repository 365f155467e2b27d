"""Scenarios of Binance's wire alone: keys that all clients share, dead keys that open sockets, and idle streams."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import partial

from listenkey.adapters.simulator.binance.family import INSTRUMENTS
from listenkey.adapters.simulator.binance.faults import GARBAGE
from listenkey.adapters.simulator.market import Instrument
from listenkey.adapters.simulator.moves import Moves
from listenkey.adapters.simulator.server import Server
from listenkey.core.events import OrderState, Unknown

from ..harness import PATIENCE, UNHURRIED, Run, down, fresh_key, read_at_rest, served, streaming
from .accounts import dropped_once
from .table import USDM, play, scenario

on_usdm = partial(scenario, venues=USDM)
OFTEN = {"renew_interval": 0.7, "audit_interval": 0}
"""A policy with which only the renewal finds a dead key."""


async def replaced(run: Run, server: Server) -> None:
    """Wait for the end of the gap of a key that is gone, and for fills on the next one."""
    await run.until(lambda: "key_gone" in run.consumer.gaps("GAP_CLOSED"), "moved to a new key")
    await run.fills_made(5)
    assert len({opening.key for opening in server.log.openings}) == 2
    await read_at_rest(run, server)


@on_usdm("another client deletes the key", policy={"audit_interval": 0})
async def deleted(run: Run, server: Server) -> None:
    """A deletion of the key is pushed, and the stream moves to the next key."""
    await run.live()
    server.fault("delete_key")
    await replaced(run, server)


@on_usdm("another client takes the next key", policy=OFTEN, readings={"deletion": "silent"})
async def taken(run: Run, server: Server) -> None:
    """A replaced key is not pushed; the renewal extends another key than ours, which shows that ours is gone."""
    await run.live()
    server.fault("replace_key")
    await replaced(run, server)


for _shown in ("asked", "alive"):

    @on_usdm(f"a dead key on a socket that lives, {_shown}", policy=OFTEN, readings={"subscriptions": _shown})
    async def dead_key(run: Run, server: Server) -> None:
        """On a dead key pings come and requests are answered; only the renewal finds it."""
        await run.live()
        server.fault("expire_silently")
        await replaced(run, server)


@on_usdm("a key that lives on a socket that brings nothing", policy={"audit_interval": 1.5})
async def eventless(run: Run, server: Server) -> None:
    """An audit finds events that the socket did not bring, and a new socket of the same key brings the next ones."""
    await run.live()
    server.fault("eventless")
    await run.until(lambda: "hole" in run.consumer.gaps("GAP_CLOSED"), "closed the gap")
    await run.fills_made(5)
    assert len(server.log.openings) >= 2
    assert len({opening.key for opening in server.log.openings}) == 1


for _expiry in ("bare", "twice"):

    @on_usdm(f"an expiry, {_expiry}", policy={"audit_interval": 0}, readings={"expiry": _expiry})
    async def expiry(run: Run, server: Server) -> None:
        """An expiry without a key is taken for our key's; a repeated one changes nothing."""
        await run.live()
        server.fault("expire_key")
        await replaced(run, server)
        assert run.consumer.gaps().count("key_gone") == 1


@on_usdm("lists that lag", policy={"audit_interval": 2})
async def lagging(run: Run, server: Server) -> None:
    """Fills, bookings and orders that lists show later than `backfill_overlap` are found."""
    await run.live()
    server.fault("late_fills", lag=1.0, income=True, orders=True)
    await down(run, server)
    await run.fills_made(5)


@on_usdm("the outcome is unknown")
async def unknown(run: Run, server: Server) -> None:
    """Mints and reads that answer 503 although they were carried out are repeated."""
    await run.live()
    server.fault("unknown_outcome", scope="all", count=3)
    server.fault("unavailable", scope="all", count=2)
    openings = len(server.log.openings)
    server.fault("drop_tcp")
    await run.until(lambda: len(server.log.openings) > openings, "opened another socket")
    spent = ("unknown_outcome", "unavailable")
    await run.until(lambda: not any(server.faults.active(each, server.elapsed()) for each in spent), "was refused")


for _cut in ("abrupt", "closed"):

    @on_usdm(f"a socket that is too old, {_cut}", policy=UNHURRIED, readings={"age_cut": _cut})
    async def aged(run: Run, server: Server) -> None:
        """The venue ends an old socket with or without a close frame, and another one follows on the same key."""
        await run.live()
        server.max_socket_age = 0.0
        await run.until(lambda: any(each.reason == "age" for each in server.log.closings), "cut for its age")
        server.max_socket_age = math.inf  # on a slow machine the next socket would be too old before it is proven
        await run.until(lambda: run.consumer.gaps("RECONNECTED") != [], "reconnected")
        await run.fills_made(3)
        assert set(run.consumer.gaps()) == {"lost_socket"}
        assert len({opening.key for opening in server.log.openings}) == 1


@on_usdm("renewals that name no key", policy={"renew_interval": 0.5, **UNHURRIED}, readings={"renewal": "empty"})
async def nameless(run: Run, server: Server) -> None:
    """If a renewal names no key, another mint shows that the key is valid, and nothing is interrupted."""
    run.named = False
    await run.live()
    gaps = len(run.consumer.gaps())
    await run.until(lambda: len(server.log.renewals) >= 4, "renewed")
    await run.fills_made(5)
    assert len(server.log.openings) == 1
    assert len(run.consumer.gaps()) == gaps


_READ: Mapping[str, Mapping[str, str]] = {
    "lists by symbol": {"orders_symbol": "required", "orders_by": "updated", "full_page": "newest"},
    "fees in another asset": {"fees": "BNB"},
}
for _name, _readings in _READ.items():
    on_usdm(_name, readings=_readings)(dropped_once)


IN_USDC = Instrument("SOLUSDC", "USDC", Decimal("0.01"), Decimal("0.01"), Decimal(150))


def names(run: Run) -> set[str]:
    """The venue's names of the events that are delivered as UNKNOWN."""
    found = [event.raw for event in run.consumer.events if isinstance(event, Unknown)]
    return {str(raw.get("e")) for raw in found if isinstance(raw, dict)}


@on_usdm("orders of the venue's own", policy={"audit_interval": 2}, instruments=(*INSTRUMENTS[:2], IN_USDC))
async def own_orders(run: Run, server: Server) -> None:
    """Auto-deleveraging, a liquidation, a prevented self-trade and a margin call, in two assets, before and during a
    cut, are each delivered as what they are.
    """
    moves = Moves(server)

    def happen() -> None:
        for symbol in (INSTRUMENTS[0].symbol, IN_USDC.symbol):
            for kind in ("ADL", ""):
                moves.make("trade", {"symbol": symbol, "position_side": "LONG"})
                moves.make("liquidate", {"symbol": symbol, "position_side": "LONG", "kind": kind})
            moves.make("cross", {"symbol": symbol, "kind": "prevented"})

    await run.live()
    happen()
    moves.make("trade", {})
    server.fault("margin_call")
    server.fault("assets_mode")
    await run.until(lambda: names(run) >= {"MARGIN_CALL", "ACCOUNT_CONFIG_UPDATE"}, "called for margin")
    server.fault("drop_tcp", seconds=PATIENCE)
    await run.until(lambda: run.consumer.gap_open, "noticed")
    happen()
    server.faults.clear("drop_tcp")
    await run.until(lambda: run.consumer.gaps("RECONNECTED") != [], "reconnected")
    await run.fills_made(5)
    await run.settle()
    forced = Counter(
        ((fill.client_order_id or "")[:9], fill.symbol) for fill in run.consumer.fills() if fill.liquidation
    )
    assert len(forced) == 4
    assert min(forced.values()) >= 2
    expired = [event for event in run.consumer.events if isinstance(event, OrderState) and event.status == "EXPIRED"]
    symbols = Counter(event.symbol for event in expired)
    assert min(symbols[INSTRUMENTS[0].symbol], symbols[IN_USDC.symbol]) >= 2


@on_usdm("frames that are none")
async def garbage(run: Run, server: Server) -> None:
    """Each kind of garbage is counted and the socket stays open; only text that is no UTF-8 ends it."""
    await run.live()
    for kind in GARBAGE:
        if kind not in ("", "not_utf8"):
            server.fault("garbage", kind=kind)
    await run.until(lambda: "hole" in run.consumer.gaps("GAP_CLOSED"), "read after doubtful frames")
    assert len(server.log.openings) == 1
    server.fault("garbage", kind="not_utf8")
    await run.until(lambda: "lost_socket" in run.consumer.gaps("RECONNECTED"), "reconnected")
    await run.fills_made(3)


@on_usdm("a frame that is too large")
async def too_large(run: Run, server: Server) -> None:
    """The transport ends the socket before the frame is complete, and the gap has the reason."""
    await run.live()
    server.fault("oversized", mebibytes=2)
    await run.until(lambda: "oversized" in run.consumer.gaps("RECONNECTED"), "reconnected")
    await run.fills_made(3)


@play("another client on the key", venues=USDM)
async def another(transport: str, wire: str) -> None:
    """Two streams of an account share its key: each has every fill, also after the other's rotation and end."""
    key = fresh_key()
    async with (
        served(key, wire=wire) as server,
        streaming(server, transport, key=key, policy=UNHURRIED) as run,
    ):
        await run.live()
        gaps = len(run.consumer.gaps())
        async with streaming(server, transport, key=key, policy=UNHURRIED) as other:
            await other.live()
            other.stream.rotate()
            await run.until(lambda: len(server.log.openings) == 3 and server.log.sockets_open == 2, "rotated")
            await other.fills_made(5)
            verdict = await other.settle()
            assert not verdict.wrong, verdict
            assert not other.consumer.wrong
        await run.until(lambda: server.log.sockets_open == 1, "gone")
        server.quiet(False)
        await run.fills_made(5)
        assert len(run.consumer.gaps()) == gaps
        assert not server.log.deletions
        assert len({opening.key for opening in server.log.openings}) == 1
        verdict = await run.settle()
        assert not verdict.wrong, verdict
        assert not run.consumer.wrong


@play("two streams that may delete their key", venues=USDM)
async def deleting(transport: str, wire: str) -> None:
    """The first of two streams to end keeps the key for the other, and the last one deletes it."""
    key, policy = fresh_key(), {**UNHURRIED, "delete_keys": 1}
    async with served(key, wire=wire) as server:
        async with streaming(server, transport, key=key, policy=policy) as run:
            await run.live()
            gaps = len(run.consumer.gaps())
            async with streaming(server, transport, key=key, policy=policy) as other:
                await other.live()
            await run.until(lambda: server.log.sockets_open == 1, "left")
            await run.fills_made(3)
            assert not server.log.deletions
            assert len(run.consumer.gaps()) == gaps
        assert [deletion.in_use for deletion in server.log.deletions] == [False]
