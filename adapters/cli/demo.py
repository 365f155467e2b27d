"""`listenkey demo`: a simulated exchange on loopback does its worst to a stream for half a minute, then the verdict."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from ...core.events import ExchangeEvent, Health
from ...ports.errors import ListenKeyError
from ..driver.stream import Stream
from ..driver.venue import Venue, open_venue
from .acts import ACTS, FILLS_PER_SECOND, PING_INTERVAL, POLICY, QUIET_AT, SETTLING
from .board import Board, Heard
from .exits import Exit, Failure, Interrupted
from .secrecy import log_to
from .shows import JsonShow, PlainShow, Show, keep_looking
from .signals import stoppable
from .terminal import has_terminal
from .together import together
from .verdict import Verdict, judge

if TYPE_CHECKING:
    from ..simulator.server import Server

NAME = "simulated"
AGAIN = 1.2
STILL = 0.3


def run(options: Namespace) -> Exit:
    """Run the demo; without a verdict, since it was interrupted, there is nothing to be negative about."""
    board = Board("listenkey demo: bingx-swap, simulated on loopback", POLICY)
    show = _show(board, options.json)
    log_to(Heard(board), options.log_level)
    try:
        verdict = anyio.run(_demo, options.seed, board, show, backend="asyncio")
    except ListenKeyError as error:
        raise Failure(Exit.STOPPED, str(error)) from None
    return Exit.NEGATIVE if verdict is not None and verdict.negative else Exit.DONE


def _show(board: Board, as_json: bool) -> Show:
    if as_json:
        return JsonShow(board)
    if not has_terminal():
        return PlainShow(board)
    from .live import LiveShow

    return LiveShow(board)


async def _demo(seed: int, board: Board, show: Show) -> Verdict | None:
    verdict: Verdict | None = None
    with suppress(Interrupted):
        async with _server(seed) as server, _venue(server, seed, board) as venue:
            verdict = await _perform(server, venue, board, show)
    if verdict is not None:
        await show.conclude(verdict)
    return verdict


async def _perform(server: Server, venue: Venue, board: Board, show: Show) -> Verdict:
    events: list[ExchangeEvent] = []
    whole = anyio.Event()
    async with venue.subscribe() as stream:

        async def listen() -> None:
            async for event in stream:
                events.append(event)
                board.take(event)
                await show.tell(event)
                if board.health is Health.LIVE:
                    whole.set()

        with stoppable():
            async with together(listen, lambda: keep_looking(board, stream), show.run):
                await whole.wait()
                server.quiet(False)
                await _act(server, board)
                server.quiet()
                board.note("nothing new happens any more, the two sides are compared", SETTLING)
                proven = await _settle(server, stream, events)
                books = stream.books
    return judge(events, books, server.truth(), since=_beginning(server), proven=proven)


async def _act(server: Server, board: Board) -> None:
    for act in ACTS:
        await anyio.sleep(max(0.0, board.started + act.at - board.clock()))
        server.fault(act.fault, seconds=act.seconds, **act.params)
        board.note(act.what, act.shown)
    await anyio.sleep(max(0.0, board.started + QUIET_AT - board.clock()))


async def _settle(server: Server, stream: Stream, events: list[ExchangeEvent]) -> bool:
    """Wait until the stream says that all is delivered, or long enough; whether it says so."""
    last = max((fill.ts for fill in server.exchange.fills), default=0)
    proven = False
    with anyio.move_on_after(SETTLING):
        while not proven:
            await anyio.sleep(AGAIN)
            proven = stream.health is Health.LIVE and (stream.proven_until or 0) >= last
            if not proven:
                stream.resync()
    count = -1
    while count != len(events):
        count = len(events)
        await anyio.sleep(STILL)
    return proven


def _beginning(server: Server) -> int:
    """Exchange time, ms, of the first key grant."""
    ago = server.log.clock() - server.log.mints[0].at
    return server.now() - int(ago * 1000 * server.time_scale)


def _server(seed: int) -> Server:
    """Nothing happens on it before it is told to: a fill from before the stream began may be delivered, unowed."""
    try:
        from ..simulator.server import Server
    except ImportError as error:
        raise Failure(Exit.USAGE, f"demo needs {error.name}: pip install 'listenkey[aiohttp]'") from None
    server = Server(
        seed=seed, api_key=NAME, api_secret=NAME, fills_per_second=FILLS_PER_SECOND, ping_interval=PING_INTERVAL
    )
    server.flow.hush()
    return server


def _venue(server: Server, seed: int, board: Board) -> Venue:
    return open_venue(
        "bingx-swap",
        api_key=NAME,
        api_secret=NAME,
        rest_url=server.rest_url,
        ws_url=server.ws_url,
        policy=POLICY,
        seed=seed,
        observer=board.observe,
    )
