"""One position mode, from the start of the exchange to the last comparison."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import NamedTuple

from . import bingx_py, bixpy, ccxt, ccxt_pro
from .activity import activity, until
from .exchange import exchange
from .frames import witness
from .pace import Pace
from .reading import Reading
from .truth import Truth

RATE = 20.0
LONGEST = 300.0


class Outcome(NamedTuple):
    """The truth in one mode, and each client's reading."""

    truth: Truth
    readings: list[Reading]


async def session(*, one_way: bool, seed: int) -> Outcome:
    """Let ccxt pro listen while the account is busy; when it is at rest, all clients read it at the same time.

    Raises `TimeoutError` if that takes more than five minutes.
    """
    pace = Pace()
    readings = {module.NAME: Reading(module.NAME, pace) for module in (ccxt_pro, ccxt, bixpy, bingx_py)}
    async with asyncio.timeout(LONGEST), AsyncExitStack() as stack:
        venue = await stack.enter_async_context(exchange(seed=seed, rate=RATE, one_way=one_way))
        ours = await stack.enter_async_context(witness(venue))
        made = await stack.enter_async_context(ccxt.client(venue))
        started = await ccxt.start(made, readings[ccxt.NAME])
        watchers = ccxt_pro.Watchers(made, readings[ccxt_pro.NAME])
        if started:
            stack.push_async_callback(watchers.stop)
            watchers.start()
        sockets = 2 if started else 1
        await until(venue, lambda truth: truth["log"]["sockets_open"] == sockets or watchers.failed)
        begun = await activity(venue)
        await ours.last.wait()
        if started:
            await watchers.done()
        truth = Truth(await venue.truth())
        if started:
            await watchers.read(ours, truth, begun)
        typed = await stack.enter_async_context(bingx_py.client(venue))
        async with asyncio.TaskGroup() as group:
            if started:
                group.create_task(ccxt.read(made, truth, readings[ccxt.NAME]))
            group.create_task(bixpy.read(bixpy.client(venue), truth, readings[bixpy.NAME]))
            group.create_task(bingx_py.read(typed, truth, readings[bingx_py.NAME]))
    return Outcome(truth, list(readings.values()))
