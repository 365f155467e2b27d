"""`listenkey simulate`: the simulated exchange alone, on loopback, until it is told to stop."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import anyio
import msgspec

from .credentials import credentials_or
from .exits import Exit, Failure, Interrupted
from .lines import Lines
from .secrecy import say
from .signals import stoppable

if TYPE_CHECKING:
    from ..simulator.server import Server


def run(options: Namespace) -> Exit:
    """Serve; the first line on standard output says where."""
    server = _server(options)
    anyio.run(_serve, server, options.port, backend="asyncio")
    return Exit.DONE


def _server(options: Namespace) -> Server:
    try:
        from ..simulator.server import Server
    except ImportError as error:
        raise Failure(Exit.USAGE, f"simulate needs {error.name}: pip install 'listenkey[aiohttp]'") from None
    key, secret = credentials_or("simulated")
    try:
        return Server(
            port=options.port,
            seed=options.seed,
            api_key=key,
            api_secret=secret,
            time_scale=options.time_scale,
            fills_per_second=options.fills_per_second,
            faults=options.faults,
            hedge=not options.one_way,
            wire=options.wire,
            ping_interval=options.ping_interval,
            key_validity=options.key_validity,
        )
    except ValueError as error:
        raise Failure(Exit.USAGE, f"simulate: {error}") from None


async def _serve(server: Server, port: int) -> None:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(server)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else error
            raise Failure(Exit.USAGE, f"simulate: --port {port} cannot be used: {why}") from None
        with suppress(Interrupted), stoppable():
            urls = {"rest_url": server.rest_url, "ws_url": server.ws_url}
            await Lines().write(msgspec.json.encode(urls))
            await _tell_faults(server)


async def _tell_faults(server: Server) -> None:
    told = 0
    while True:
        for fault in server.log.faults[told:]:
            say(f"{server.elapsed():8.2f} s  {fault.name} {fault.detail}")
            told += 1
        await anyio.sleep(0.1)
