"""A stream of a Binance account over real sockets, from its first key to its end, on both transports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

import listenkey
from listenkey.adapters.recording.replay import replay
from listenkey.core.events import ExchangeEvent
from listenkey.core.policy import Policy

from .server import Server
from .venue import FIRST_KEY, KEY, SECRET, fee_row, fill_row, order_row, position_row

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]

TRANSPORTS = [("aiohttp", "asyncio"), ("websockets", "asyncio"), ("websockets", "trio")]
PATIENCE = 60.0
POLICY = Policy(renew_interval=0.5, probe_after=0.2, silence_timeout=60, drain=0.2, audit_interval=0)


@pytest.fixture(params=TRANSPORTS, ids="-".join, name="transport")
def fixture_transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param[0]
    return name


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> str:
    chosen: tuple[str, str] = request.getfixturevalue("request").node.callspec.params["transport"]
    return chosen[1]


class Consumer:
    """Reads the stream in a task of its own."""

    def __init__(self) -> None:
        self.events: list[ExchangeEvent] = []
        self.error: Exception | None = None

    async def read(self, stream: Any) -> None:
        try:
            async for event in stream:
                self.events.append(event)
        except Exception as error:
            self.error = error

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until this holds. Raises what the stream has raised."""
        with anyio.fail_after(PATIENCE):
            while not condition():
                if self.error is not None:
                    raise self.error
                await anyio.sleep(0.01)

    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.events]


async def streaming(
    server: Server, transport: str, story: Callable[[Consumer, Any], Awaitable[None]], record: Path | None = None
) -> list[ExchangeEvent]:
    """Run a stream for as long as the story lasts; return its events."""
    consumer = Consumer()
    async with (
        listenkey.open_venue(
            "binance-usdm",
            api_key=KEY,
            api_secret=SECRET,
            rest_url=server.rest_url,
            ws_url=server.ws_url,
            transport=transport,
            policy=POLICY,
            record=record,
        ) as venue,
        venue.subscribe() as stream,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(consumer.read, stream)
        await consumer.until(lambda: stream.health == "LIVE" and stream.proven_until)
        await story(consumer, stream)
        tasks.cancel_scope.cancel()
    return consumer.events


def order(server: Server, **fields: Any) -> dict[str, Any]:
    at = server.ms()
    body = {"s": "ETHUSDT", "c": "mine", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "2", "p": "10", "ap": "0", "i": 7}
    body |= {"x": "NEW", "X": "NEW", "l": "0", "z": "0", "L": "0", "n": "0", "N": "USDT", "T": at, "t": 0, "rp": "0"}
    return {"e": "ORDER_TRADE_UPDATE", "E": at, "T": at, "o": {**body, "ps": "BOTH", **fields}}


def execute(server: Server, trade: int, quantity: str, executed: str, status: str) -> dict[str, Any]:
    """Make a fill: add it to the server's lists, and return the frame that shows it."""
    at = server.ms()
    with server.lock:
        server.fills.append(
            fill_row(trade, 7, at, quantity, symbol="ETHUSDT", price="10", side="BUY", commission="0.01")
        )
        server.income.append(fee_row(trade, at, symbol="ETHUSDT", income="-0.01"))
        row = order_row(7, at, status=status, executed=executed, symbol="ETHUSDT", origQty="2", side="BUY", price="10")
        made = next((known["time"] for known in server.orders), at)
        server.orders[:] = [{**row, "time": made, "avgPrice": "10"}]
        server.positions[:] = [position_row("ETHUSDT", executed, entryPrice="10")]
    costs = {"n": "0.01", "t": trade, "L": "10", "ap": "10"}
    return order(server, x="TRADE", X=status, l=quantity, z=executed, **costs)


async def test_fills_across_a_key_that_another_took(transport: str, tmp_path: Path) -> None:
    """Each fill comes once: pushed, from the lists after another client replaced the key, on the successor's socket.

    The run is recorded without a key, and replays without a difference.
    """
    recording = tmp_path / "recording"
    with Server() as server:

        async def story(consumer: Consumer, stream: Any) -> None:
            server.push(order(server))
            server.push(execute(server, 1, "0.5", "0.5", "PARTIALLY_FILLED"))
            await consumer.until(lambda: "PARTIAL_FILL" in consumer.kinds())
            with server.lock:
                other = server.mint()
            server.push(execute(server, 2, "0.5", "1", "PARTIALLY_FILLED"))  # none of the stream's sockets gets it
            await consumer.until(
                lambda: consumer.kinds().count("PARTIAL_FILL") == 2 and "GAP_CLOSED" in consumer.kinds()
            )
            await consumer.until(lambda: any(key == other for key, _, _ in server.inboxes.values()))
            server.push(execute(server, 3, "1", "2", "FILLED"))
            await consumer.until(lambda: "FULL_FILL" in consumer.kinds())

        events = await streaming(server, transport, story, recording)
        fills = [event for event in events if isinstance(event, listenkey.Fill)]
        assert [(fill.trade_id, fill.cumulative_qty, fill.source) for fill in fills] == [
            ("1", Decimal("0.5"), "ws"),
            ("2", Decimal(1), "poll"),
            ("3", Decimal(2), "ws"),
        ]
        assert [str(fill.fee) for fill in fills] == ["0.01"] * 3
        gaps = [(event.kind.value, event.reason.value) for event in events if isinstance(event, listenkey.GapNotice)]
        assert gaps == [("GAP_OPENED", "key_gone"), ("GAP_CLOSED", "key_gone")]
        assert server.asked_to_list >= 2
        assert not [call for call in server.calls if call.method == "DELETE"]
        assert all(FIRST_KEY not in call.url for call in server.calls)
    assert replay(recording) is None
    written = recording.read_bytes()
    assert not [secret for secret in (FIRST_KEY, server.key or "?", KEY, SECRET) if secret.encode() in written]


async def test_an_idle_stream_stays_live(transport: str) -> None:
    """An idle stream whose requests are only answered by pongs stays LIVE, without a gap."""
    with Server() as server:
        server.lists = False
        seen = 0

        async def story(consumer: Consumer, stream: Any) -> None:
            nonlocal seen
            await consumer.until(lambda: server.asked_to_list >= 6)
            seen = len(consumer.events)

        events = await streaming(server, transport, story)
        healths = [event.health.value for event in events[:seen] if isinstance(event, listenkey.HealthChange)]
        assert healths == ["LIVE"]
        assert not [event for event in events if isinstance(event, listenkey.GapNotice)]
