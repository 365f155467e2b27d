"""From a frame to a delivered event, fills and account updates in turn, through a connection that is LIVE."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from listenkey.core import actions
from listenkey.core.events import Health
from listenkey.core.inputs import FrameReceived

from . import floor, naive, peer
from .desk import EPOCH, Desk
from .measure import Absent, Contender, Row, Target, cpu, figure, in_turns, over, ratios
from .stage import Stage
from .wires import BINGX, USDM, WIRES, Frame, Wire, named

SUBJECT = "decode"
STEP = 0.0005
"""Seconds of virtual time between frames, so that a round ends before the first audit."""


def run(quick: bool = False) -> list[Row]:
    """Measure each wire in turn: ours and the floor with the same frames, for BingX also the naive way and ccxt pro."""
    return [row for wire in WIRES for row in _decoded(wire, quick)]


def _decoded(wire: Wire, quick: bool) -> list[Row]:
    fills, rounds = (50, 2) if quick else (1500, 11)
    frames = Desk(wire=wire).frames(fills, since=EPOCH + 1)
    compared, has_peer = wire is BINGX, wire is BINGX and peer.installed()
    contenders: dict[str, Contender] = {"floor": lambda: over(frames, floor.PARSED[wire.venue])}
    if compared:
        contenders["naive"] = lambda: over(frames, naive.parsed)
    contenders["listenkey"] = lambda: ours(frames, wire)
    if has_peer:
        for name, options in (("ccxt pro", {}), ("ccxt pro, cache of 10", {"ordersLimit": 10, "tradesLimit": 10})):
            contenders[name] = _peer(frames, options)
    times = in_turns(contenders, rounds)
    us = {name: [each / len(frames) / 1000 for each in spent] for name, spent in times.items()}
    rows: list[Row] = [figure(SUBJECT, named(wire, f"{name}, a frame"), "us", values) for name, values in us.items()]
    own, over_floor = us["listenkey"], named(wire, "listenkey / floor")
    target = Target(most=2.2) if compared else None
    rows.append(figure(SUBJECT, over_floor, "x", ratios(own, us["floor"]), target=target, note=_FLOOR[wire.venue]))
    if compared:
        rows.append(figure(SUBJECT, "naive / listenkey", "x", ratios(us["naive"], own)))
    if has_peer:
        whole, small = (ratios(us[name], own) for name in ("ccxt pro", "ccxt pro, cache of 10"))
        rows.append(figure(SUBJECT, "ccxt pro / listenkey", "x", whole, target=Target(least=8), note=_PEER))
        rows.append(figure(SUBJECT, "ccxt pro, cache of 10 / listenkey", "x", small))
    elif compared:
        rows.append(Absent(SUBJECT, "ccxt pro / listenkey", peer.MISSING))
    return rows


def ours(frames: Sequence[Frame], wire: Wire = BINGX) -> int:
    """Return the CPU ns for the frames in one connection; raises unless each gives one event and health stays LIVE."""
    stage = Stage(wire)
    connection = stage.connection
    received = [FrameReceived(stage.sockets[0], frame) for frame in frames]
    delivered = 0
    start = stage.now

    def work() -> None:
        nonlocal delivered
        handle, now = connection.handle, start
        for each in received:
            now += STEP
            for action in handle(each, now=now):
                if type(action) is actions.Deliver:
                    delivered += 1

    spent = cpu(work)
    if delivered != len(frames) or connection.health is not Health.LIVE:
        raise AssertionError(f"{delivered} events of {len(frames)} frames, {connection.health}")
    return spent


def _peer(frames: Sequence[Frame], options: dict[str, Any]) -> Contender:
    made = peer.exchange(**options)
    message = _messages()

    async def turn() -> int:
        made.orders = made.myTrades = made.positions = None
        made.balance = {}
        client = peer.client(made)
        messages = [message(frame) for frame in frames]
        spent = over(messages, client.handle_message)
        if not made.orders or not made.myTrades or not made.positions or "swap" not in made.balance:
            raise AssertionError("ccxt pro has not taken the frames")
        await made.close()
        return spent

    return lambda: asyncio.run(turn())


def _messages() -> Callable[[Frame], Any]:
    from aiohttp import WSMsgType

    return lambda frame: SimpleNamespace(type=WSMsgType.BINARY, data=frame, extra="")


_TYPED = "a typed msgspec decoder of the same fields, Decimals and all"
_FLOOR: Mapping[str, str] = {
    BINGX.venue: f"the floor: zlib.decompress(frame, 31) and {_TYPED}",
    USDM.venue: f"the floor: {_TYPED}; a frame is text, and nothing is inflated",
}
_PEER = (
    "its client's handle_message as it is shipped. For each frame of an order it scans the orders that it keeps, up to "
    "1,000, so the ratio rises with the orders of a round (here 750); the row below has what it keeps cut to 10"
)
