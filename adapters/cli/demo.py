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
from .background import background
from .exits import Exit, Failure, Interrupted
from .model import ModelHandler, StreamModel
from .outputs import JsonOutput, Output, PlainOutput, keep_sampling
from .scenario import FILLS_PER_SECOND, PING_INTERVAL, POLICIES, PROVING_TIME, QUIET_AT, STEPS
from .secrecy import log_to
from .signals import stoppable
from .terminal import has_terminal
from .verdict import Verdict, judge

if TYPE_CHECKING:
    from ..simulator.server import Server

NAME = "simulated"
AGAIN = 1.2
STILL = 0.3


def run(options: Namespace) -> Exit:
    """Run the demo; an interrupted run has no verdict, and its exit code is not NEGATIVE."""
    model = StreamModel(f"listenkey demo: {options.venue}, simulated on loopback", POLICIES[options.venue])
    output = _output(model, options.json)
    log_to(ModelHandler(model), options.log_level)
    try:
        verdict = anyio.run(_demo, options.seed, options.venue, model, output, backend="asyncio")
    except ListenKeyError as error:
        raise Failure(Exit.STOPPED, str(error)) from None
    return Exit.NEGATIVE if verdict is not None and verdict.negative else Exit.DONE


def _output(model: StreamModel, as_json: bool) -> Output:
    if as_json:
        return JsonOutput(model)
    if not has_terminal():
        return PlainOutput(model)
    from .live import LiveOutput

    return LiveOutput(model)


async def _demo(seed: int, name: str, model: StreamModel, output: Output) -> Verdict | None:
    verdict: Verdict | None = None
    with suppress(Interrupted):
        async with _server(seed, name) as server, _venue(server, seed, model) as venue:
            verdict = await _run(server, venue, model, output)
    if verdict is not None:
        await output.conclude(verdict)
    return verdict


async def _run(server: Server, venue: Venue, model: StreamModel, output: Output) -> Verdict:
    events: list[ExchangeEvent] = []
    whole = anyio.Event()
    async with venue.subscribe() as stream:

        async def listen() -> None:
            async for event in stream:
                events.append(event)
                model.take(event)
                await output.deliver(event)
                if model.health is Health.LIVE:
                    whole.set()

        with stoppable():
            async with background(listen, lambda: keep_sampling(model, stream), output.run):
                await whole.wait()
                server.quiet(False)
                await _run_steps(server, model)
                server.quiet()
                model.note("nothing new happens any more, the two sides are compared", PROVING_TIME)
                proven = await _until_proven(server, stream, events)
                books = stream.books
    return judge(events, books, server.truth(), since=_beginning(server), proven=proven)


async def _run_steps(server: Server, model: StreamModel) -> None:
    for step in STEPS[server.venue]:
        await anyio.sleep(max(0.0, model.started + step.at - model.clock()))
        server.fault(step.fault, seconds=step.seconds, **step.params)
        model.note(step.what, step.shown)
    await anyio.sleep(max(0.0, model.started + QUIET_AT - model.clock()))


async def _until_proven(server: Server, stream: Stream, events: list[ExchangeEvent]) -> bool:
    """Wait until the stream has proven that all is delivered; return False if that takes too long."""
    last = max((fill.ts for fill in server.exchange.fills), default=0)
    proven = False
    with anyio.move_on_after(PROVING_TIME):
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


def _server(seed: int, name: str) -> Server:
    """Make a server on which nothing happens until it is started: fills before the stream need not be delivered."""
    try:
        from ..simulator.server import Server
    except ImportError as error:
        raise Failure(Exit.USAGE, f"demo needs {error.name}: pip install 'listenkey[aiohttp]'") from None
    server = Server(
        venue=name,
        seed=seed,
        api_key=NAME,
        api_secret=NAME,
        fills_per_second=FILLS_PER_SECOND,
        ping_interval=PING_INTERVAL,
    )
    server.flow.hush()
    return server


def _venue(server: Server, seed: int, model: StreamModel) -> Venue:
    return open_venue(
        server.venue,
        api_key=NAME,
        api_secret=NAME,
        rest_url=server.rest_url,
        ws_url=server.ws_url,
        policy=POLICIES[server.venue],
        seed=seed,
        observer=model.observe,
    )
