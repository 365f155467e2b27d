"""All faults by name: functions that act on a lane, with values drawn by a seed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from .conditions import (
    RETRY_AFTER,
    Certified,
    Condition,
    CutFrame,
    Drip,
    Freeze,
    Hang,
    Reset,
    RetryAfter,
    Scope,
    Status,
)
from .lane import Lane

Deed = Callable[[Lane, Random], Awaitable[int]]
"""A function that carries out a fault on a lane, and returns, at its end, the times that it took effect."""

FAULTS: dict[str, Deed] = {}
FROZEN = 10.0


def fault(name: str) -> Callable[[Deed], Deed]:
    """Put a fault into the table."""

    def add(deed: Deed) -> Deed:
        assert name not in FAULTS
        FAULTS[name] = deed
        return deed

    return add


async def _held(lane: Lane, seconds: float, condition: Condition) -> int:
    await lane.hold(seconds, condition)
    return condition.bitten


@fault("accept_and_hang")
async def accept_and_hang(lane: Lane, rng: Random) -> int:
    """All connections are reset; new ones are accepted and never answered."""
    lane.proxy.cut()
    return await _held(lane, rng.uniform(1.0, 2.5), Hang())


@fault("refused")
async def refused(lane: Lane, rng: Random) -> int:
    """All connections are reset, and new ones are refused."""
    lane.proxy.refuse()
    bitten = lane.proxy.cut()
    await asyncio.sleep(rng.uniform(1.0, 1.5))
    await lane.proxy.listen()
    return bitten


@fault("reset")
async def reset(lane: Lane, rng: Random) -> int:
    """All connections are reset, and new ones as soon as they are accepted."""
    lane.proxy.cut()
    return await _held(lane, rng.uniform(1.0, 1.5), Reset())


@fault("half_open")
async def half_open(lane: Lane, rng: Random) -> int:
    """The exchange's side of every connection is gone, and no FIN comes."""
    bitten = lane.proxy.lose()
    await asyncio.sleep(rng.uniform(1.5, 2.5))
    return bitten


@fault("cut_frame")
async def cut_frame(lane: Lane, rng: Random) -> int:
    """A socket is reset in the middle of a frame, and the next one in the middle of its first long enough frame."""
    return await _held(lane, rng.uniform(1.0, 1.5), CutFrame())


@fault("byte_by_byte")
async def byte_by_byte(lane: Lane, rng: Random) -> int:
    """Every byte comes alone, in both directions, also in handshakes and answers."""
    if rng.random() < 0.5:
        lane.proxy.cut()
    return await _held(lane, rng.uniform(2.0, 3.0), Drip())


@fault("freeze")
async def freeze(lane: Lane, rng: Random) -> int:
    """Nothing passes for ten seconds; then everything does, also late answers."""
    return await _held(lane, FROZEN, Freeze())


def _status(code: int) -> Deed:
    async def answered(lane: Lane, rng: Random) -> int:
        shape: RetryAfter = rng.choice(RETRY_AFTER[code == 418 :])
        scope: Scope = rng.choice(("rest", "handshake", "all"))
        condition = Status(code, wait=rng.choice((1, 2)), retry_after=shape, scope=scope, count=rng.choice((1, 2)))
        if scope != "rest":
            lane.proxy.cut()
        return await _held(lane, 1.0, condition)

    answered.__doc__ = f"Requests, handshakes or both are answered with HTTP {code}; 418 always names a time."
    return answered


for _code in (418, 429, 503):
    fault(f"http_{_code}")(_status(_code))


@fault("bad_certificate")
async def bad_certificate(lane: Lane, rng: Random) -> int:
    """All connections are reset; new ones with TLS get an untrusted certificate."""
    wrong = rng.choice((lane.certificates.untrusted, lane.certificates.foreign))
    lane.proxy.cut()
    return await _held(lane, rng.uniform(1.0, 1.5), Certified(wrong))


@fault("no_name")
async def no_name(lane: Lane, rng: Random) -> int:
    """All connections are reset, and the exchange's name does not resolve. Transports keep names for a while."""
    before = (await lane.client.order("names", resolve=False)).names_refused
    lane.proxy.cut()
    await asyncio.sleep(rng.uniform(1.0, 2.0))
    return (await lane.client.order("names", resolve=True)).names_refused - before


@fault("wall_clock")
async def wall_clock(lane: Lane, rng: Random) -> int:
    """The host's wall clock jumps by hours, one way, further, and back."""
    hours = [rng.uniform(1, 30) * sign for sign in rng.choice(((1, -1), (-1, 1), (1, 1), (-1, -1)))]
    for jump in (*hours, -sum(hours)):
        await lane.client.order("jump", seconds=jump * 3600)
        await asyncio.sleep(rng.uniform(0.4, 0.8))
    return len(hours) + 1


@fault("client_stopped")
async def client_stopped(lane: Lane, rng: Random) -> int:
    """SIGSTOP for longer than `silence_timeout`: the sockets fill up, and all timers are late."""
    lane.client.process.stop()
    try:
        await asyncio.sleep(rng.uniform(1.5, 4.0))
    finally:
        lane.client.process.go_on()
    return 1


@fault("exchange_stopped")
async def exchange_stopped(lane: Lane, rng: Random) -> int:
    """The exchange's process is stopped by SIGSTOP: TCP works, and nothing is answered."""
    lane.exchange.process.stop()
    try:
        await asyncio.sleep(rng.uniform(1.5, 4.0))
    finally:
        lane.exchange.process.go_on()
    return 1
