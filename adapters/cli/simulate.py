"""`listenkey simulate`: the simulated exchange alone, on loopback, until a signal stops it."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import anyio
import msgspec

from ..simulator.faults import FaultKind
from ..simulator.kinds import FAULTS_OF
from .credentials import Credentials, are_given, credentials
from .exits import Exit, Failure, Interrupted
from .flags import settings
from .lines import Lines
from .progress import Progress
from .secrecy import KEY_VARIABLE, SECRET_VARIABLE, say
from .signals import stoppable

if TYPE_CHECKING:
    from ..simulator.server import Server


HINT = f"this simulated exchange takes {KEY_VARIABLE} and {SECRET_VARIABLE} of the environment that it was started in"


def run(options: Namespace) -> Exit:
    """Serve the exchange; the first line on standard output has its addresses and credentials, which are no secret."""
    if options.list_faults:
        lines = Lines()
        for name, kind in FAULTS_OF[options.venue].items():
            lines.write_now(described(name, kind).encode())
        return Exit.DONE
    given = are_given()
    server = _server(options, credentials() if given else None)
    anyio.run(_serve, server, options.port, not given, backend="asyncio")
    return Exit.DONE


def described(name: str, kind: FaultKind) -> str:
    """Return a line about a fault: its name, text, duration or count, and its parameters with their defaults."""
    holds = "Until it is cleared" if kind.seconds is None else f"For {kind.seconds:g} s"
    often = {"uses": "Once, or `count` times, or for `seconds`.", "holds": f"{holds}, or for `seconds`.", "act": ""}
    own = "".join(
        f" `{param}`: {given.allowed}, by default {_written(given.default)}." for param, given in kind.params.items()
    )
    return f"{name:19} {kind.what[0].upper()}{kind.what[1:]}. {often[kind.manner]}{own}".rstrip()


def _written(default: object) -> str:
    return str(default).lower() or "all"


def _server(options: Namespace, given: Credentials | None) -> Server:
    try:
        from ..simulator.families import kind_of
        from ..simulator.pricefile import recorded
        from ..simulator.server import Server
    except ImportError as error:
        raise Failure(Exit.USAGE, f"simulate needs {error.name}: pip install 'listenkey[aiohttp]'") from None
    own = {} if given is None else given._asdict() | {"credentials_hint": HINT}
    chosen = settings(options)
    try:
        with Progress() as shown_count:
            instruments = kind_of(options.venue).instruments
            chosen["instruments"] = recorded(chosen.pop("prices"), instruments, progress=shown_count)
        venue = {"venue": options.venue, "readings": dict(options.readings)}
        return Server(port=options.port, **venue, **own, **chosen)
    except ValueError as error:
        raise Failure(Exit.USAGE, f"simulate: {error}") from None


async def _serve(server: Server, port: int, shown: bool) -> None:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(server)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else error
            text = f"simulate: --port {port} cannot be used: {why}; --port 0 takes any that is free"
            raise Failure(Exit.USAGE, text) from None
        with suppress(Interrupted), stoppable():
            line = {"rest_url": server.rest_url, "ws_url": server.ws_url}
            if shown:
                line |= {"api_key": server.api_key, "api_secret": server.api_secret}
            await Lines().write(msgspec.json.encode(line))
            await _show_faults(server)


async def _show_faults(server: Server) -> None:
    shown_count = 0
    while True:
        for fault in server.log.faults[shown_count:]:
            say(f"{server.elapsed():8.2f} s  {fault.name} {fault.detail}")
            shown_count += 1
        await anyio.sleep(0.1)
