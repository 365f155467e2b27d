"""`SimulatedExchange` can be used from threads and coroutines, with a clock that the test moves."""

from __future__ import annotations

import inspect
import json
import urllib.error
import urllib.request
from decimal import Decimal
from typing import Any, ClassVar

import anyio
import pytest

from listenkey import GapNotice, open_venue
from listenkey.adapters.simulator.moves import Moves
from listenkey.adapters.simulator.settings import Settings
from listenkey.adapters.simulator.venue import Venue
from listenkey.adapters.testing.exchange import OrderRefused, SimulatedExchange
from listenkey.adapters.testing.redirect import redirect
from listenkey.core.events import ExchangeEventKind as Kind
from listenkey.core.events import Fill

PATIENCE = 120.0


def posted(exchange: SimulatedExchange, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(f"{exchange.rest_url}/simulator/{path}", json.dumps(body).encode())  # noqa: S310
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        answered: dict[str, Any] = json.load(answer)
    return answered


def test_a_synchronous_test_moves_it_and_sees_the_truth() -> None:
    """A move returns the fill or order that it made, with the same values as in the truth."""
    with SimulatedExchange(time_scale=0) as exchange:
        (fill,) = exchange.trade("BTC-USDT", "BUY", "0.01", position_side="LONG")
        order = exchange.place("BTC-USDT", "SELL", "0.01", position_side="LONG", type="LIMIT", price=70_000)
        part = exchange.fill(order["order_id"], Decimal("0.004"))
        cancelled = exchange.cancel(order["order_id"])
        truth = exchange.truth()
    assert truth["fills"] == [fill, part]
    assert (cancelled["status"], cancelled["executed"]) == ("CANCELED", "0.004")
    assert cancelled in truth["orders"]
    assert [position["qty"] for position in truth["positions"]] == ["0.006"]


def test_what_the_venue_refuses_is_refused_with_its_code() -> None:
    """A move that the venue refuses raises its code; an unknown move or fault is a `ValueError` with the known ones."""
    with SimulatedExchange() as exchange:
        with pytest.raises(OrderRefused) as refused:
            exchange.trade("NO-SUCH", "BUY", 1, position_side="LONG")
        with pytest.raises(ValueError, match="is not one of trade, place, fill"):
            exchange.move("teleport")
        with pytest.raises(ValueError, match="`colour`"):
            exchange.move("fill", colour="red")
        with pytest.raises(ValueError, match="is not one of refuse, delay"):
            exchange.fault("quake")
    assert refused.value.code


def test_a_setting_that_is_none() -> None:
    """An unknown setting is refused at once with the list of settings, and so is an invalid value."""
    with pytest.raises(ValueError, match="'hedged' is no setting; allowed: seed, "):
        SimulatedExchange(hedged=True)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="time_scale is a finite number from 0"):
        SimulatedExchange(time_scale=-1)


def test_an_exchange_that_is_not_entered() -> None:
    """An exchange that has not been entered has no address: asking for it raises an error."""
    with pytest.raises(RuntimeError, match="with SimulatedExchange"):
        SimulatedExchange().access  # noqa: B018


def test_the_settings_are_those_of_the_venue() -> None:
    """The settings are exactly the parameters of the simulator's `Venue`."""
    assert Settings.__annotations__.keys() == inspect.signature(Venue.__init__).parameters.keys() - {"self"}


def test_an_asynchronous_bot_against_it() -> None:
    """A stream in this thread's event loop recovers a fill whose frame was lost."""

    async def bot(exchange: SimulatedExchange) -> list[Fill]:
        found: list[Fill] = []
        with anyio.fail_after(PATIENCE):
            async with open_venue("bingx-swap", **exchange.access) as venue, venue.subscribe() as stream:
                async for event in stream:
                    if event.kind is Kind.HEALTH and not exchange.truth()["fills"]:
                        exchange.fault("lose_frame", account=True)
                        exchange.trade("BTC-USDT", "BUY", "0.01", position_side="LONG")
                        exchange.fault("drop_tcp")
                    if isinstance(event, Fill):
                        found.append(event)
                    if isinstance(event, GapNotice) and event.kind is Kind.GAP_CLOSED and found:
                        return found
        raise AssertionError("the stream ended")

    with SimulatedExchange() as exchange:
        (delivered,) = anyio.run(bot, exchange)
        (truth,) = exchange.truth()["fills"]
    assert (delivered.order_id, delivered.fill_qty, delivered.source) == (truth["order_id"], Decimal("0.01"), "poll")


def test_time_stands_still_until_it_is_moved() -> None:
    """With `time_scale` 0 the same seed and the same moves give the same truth."""

    def lived() -> dict[str, Any]:
        settings: Settings = {"time_scale": 0, "seed": 5, "fills_per_second": 3.0, "epoch_ms": 1_700_000_000_000}
        with SimulatedExchange(**settings) as exchange:
            for _ in range(3):
                exchange.advance(7.5)
                exchange.trade("ETH-USDT", "SELL", "0.5", position_side="SHORT")
            truth = exchange.truth()
        assert truth["now"] == 1_700_000_000_000 + 22_500
        return {name: value for name, value in truth.items() if name != "log"}

    once = lived()
    assert len(once["fills"]) > 30
    assert once == lived()


def test_a_resting_order_is_filled_by_the_time_that_passes() -> None:
    """Prices move while time is advanced, and each fill has the time at which it was made."""
    with SimulatedExchange(time_scale=0, seed=2, epoch_ms=1_700_000_000_000) as exchange:
        order = exchange.trade("BTC-USDT", "BUY", "0.01", position_side="LONG")
        exchange.advance(3600)
        assert exchange.now() == 1_700_003_600_000
        assert order[0]["ts"] == 1_700_000_000_000
        later = exchange.trade("BTC-USDT", "SELL", "0.01", position_side="LONG")
        assert later[0]["ts"] == 1_700_003_600_000
        assert later[0]["price"] != order[0]["price"]


def test_time_is_moved_over_http_too() -> None:
    """`POST /simulator/advance` moves the time, and refuses a value that is no number of seconds from 0."""
    with SimulatedExchange(time_scale=0, epoch_ms=1_700_000_000_000) as exchange:
        assert posted(exchange, "advance", {"seconds": 1.5}) == {"now": 1_700_000_001_500}
        for bad in ({"seconds": -1}, {"seconds": "soon"}, {}):
            with pytest.raises(urllib.error.HTTPError) as refused:
                posted(exchange, "advance", bad)
            with refused.value as answer:
                assert answer.status == 400
                assert json.load(answer)["error"]
        assert exchange.now() == 1_700_000_001_500


def test_before_it_is_up_and_after_it_has_ended() -> None:
    """Moves made before the exchange is entered take effect, and a call after its end raises an error."""
    exchange = SimulatedExchange(time_scale=0)
    exchange.fault("silent", after=100)
    exchange.trade("BTC-USDT", "BUY", "0.01", position_side="LONG")
    with exchange:
        assert len(exchange.truth()["fills"]) == 1
    with pytest.raises(ValueError, match="has ended"):
        exchange.truth()


def test_a_port_that_is_taken() -> None:
    """A port in use raises the operating system's error when the exchange is entered."""
    with SimulatedExchange() as one:
        port = int(one.rest_url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"), SimulatedExchange(port=port):
            pass


def test_every_move_is_named() -> None:
    """The simulator's moves include trade, place, fill, cancel and funding."""
    assert {"trade", "place", "fill", "cancel", "funding"} < set(Moves(Venue()).names)


def test_a_client_of_ccxt_is_redirected() -> None:
    """`redirect` sets a ccxt client's credentials, both addresses and sandbox mode."""

    class Client:
        apiKey = secret = ""
        options: ClassVar[dict[str, str]] = {}
        urls: ClassVar[dict[str, dict[str, Any]]] = {"test": {"spot": "https://a.example", "swap": "https://b.example"}}
        sandboxed = False

        def set_sandbox_mode(self, on: bool) -> None:
            self.sandboxed = on

    with SimulatedExchange(api_key="mine", api_secret="hidden") as exchange:
        client = exchange.redirect(Client())
        rest, ws = f"{exchange.rest_url}/openApi", exchange.ws_url
    assert (client.apiKey, client.secret, client.sandboxed) == ("mine", "hidden", True)
    assert client.urls["test"] == {"spot": rest, "swap": rest, "ws": {"linear": ws}}
    assert client.options == {"defaultType": "swap"}
    assert redirect(Client(), rest_url="http://a", ws_url="ws://a").apiKey == "simulated"
