"""The public streams: which of them exist, and that they agree with REST."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.rest import Rest
from listenkey.adapters.simulator.server import Server
from listenkey.adapters.simulator.ticket import Ticket
from listenkey.adapters.simulator.topics import Topic, Topics

from .customer import Customer, visit

BEGIN = 1_758_608_899_123
BTC = "BTC-USDT"


class Board:
    """The public streams and the REST answers of one exchange."""

    def __init__(self) -> None:
        self.exchange = Exchange(now=BEGIN, seed=5)
        self.desk = Desk(self.exchange)
        self.rest = Rest(self.exchange, depth=self.desk.depth)
        self.topics = Topics(self.exchange.market, self.desk.depth)
        self.now = BEGIN + 90_000

    def topic(self, name: str) -> Topic:
        found = self.topics.topic(name)
        assert found is not None
        return found

    def latest(self, name: str, since: int = -1) -> Any:
        return self.topics.message(self.topic(name), since, self.now)

    def ask(self, path: str, **params: str) -> Any:
        version = "v3" if path == "klines" else "v2"
        return self.rest.answer(f"/openApi/swap/{version}/quote/{path}", {"symbol": BTC} | params, self.now)["data"]


def test_streams_say_what_rest_says() -> None:
    """Ticker, trades, book and current candle of the streams equal those of REST."""
    board = Board()
    ticker, row = board.latest(f"{BTC}@ticker")["data"], board.ask("ticker")
    names = {"c": "lastPrice", "h": "highPrice", "l": "lowPrice", "o": "openPrice", "A": "askPrice", "B": "bidPrice"}
    assert {name: ticker[name] for name in names} == {name: row[of] for name, of in names.items()}
    trades = board.latest(f"{BTC}@trade", 85)["data"]
    newest = board.ask("trades", limit="5")
    assert [(each["p"], each["q"], each["T"], each["m"]) for each in reversed(trades)] == [
        (each["price"], each["qty"], each["time"], each["isBuyerMaker"]) for each in newest
    ]
    for name in (f"{BTC}@depth5", f"{BTC}@depth5@500ms"):
        message, book = board.latest(name), board.ask("depth", limit="5")
        assert message["dataType"] == name
        assert (message["data"]["bids"], message["data"]["asks"]) == (book["bids"], book["asks"])
    (candle,), (said,) = board.latest(f"{BTC}@kline_1h")["data"], board.ask("klines", interval="1h", limit="1")
    assert (candle["T"], candle["c"], candle["v"]) == (said["time"], said["close"], said["volume"])


def test_nothing_is_sent_while_nothing_moves() -> None:
    """A stream sends each move once, and nothing if there is none."""
    board = Board()
    topic = board.topic(f"{BTC}@trade")
    moves = board.topics.moves(topic, board.now)
    assert board.topics.message(topic, moves, board.now) is None
    board.now += 3000
    message = board.topics.message(topic, moves, board.now)
    assert message is not None
    assert len(message["data"]) == 3


def test_what_an_order_takes_is_missing_in_the_book() -> None:
    """The quantity that an order took is missing in the book of the stream."""
    board = Board()
    asks = board.latest(f"{BTC}@depth100")["data"]["asks"]
    ticket = Ticket(symbol=BTC, side="BUY", type="MARKET", position_side="LONG", qty=Decimal(asks[0][1]))
    board.desk.place(ticket, now=board.now)
    assert board.latest(f"{BTC}@depth100")["data"]["asks"] == asks[1:]


@pytest.mark.parametrize(
    "name",
    [
        *("", "BTC-USDT", "BTC-USDT@lastPrice", "BTC-USDT@markPrice", "BTC-USDT@bookTicker", "all@ticker"),
        *("NOPE-USDT@ticker", "BTC-USDT@depth7", "BTC-USDT@kline_7m", "BTC-USDT@tickers", "BTC-USDT@depth5@100ms"),
    ],
)
def test_there_is_no_other_stream(name: str) -> None:
    """A stream with an unknown name, symbol, depth or interval does not exist."""
    assert Board().topics.topic(name) is None


@pytest.mark.loopback
def test_a_socket_without_a_key() -> None:
    """A socket without a key gets its subscriptions; wrong ones are refused, and so are all on a socket with a key."""

    async def story(customer: Customer) -> None:
        ws = await customer.http.ws_connect(customer.server.ws_url)

        async def say(**fields: str) -> Any:
            await ws.send_str(json.dumps(fields))
            while "id" not in (frame := await customer.frame(ws)):
                pass
            return frame

        answer = await say(id="1", reqType="sub", dataType=f"{BTC}@depth5")
        assert answer == {"id": "1", "code": 0, "msg": "", "dataType": "", "data": None}
        frame = await customer.frame(ws)
        assert (frame["dataType"], len(frame["data"]["asks"])) == (f"{BTC}@depth5", 5)
        assert (await say(id="2", reqType="sub", dataType=f"{BTC}@lastPrice"))["code"] == 80015
        assert (await say(id="3", reqType="listen", dataType=f"{BTC}@ticker"))["code"] == 80014
        assert (await say(id="4", reqType="unsub", dataType=f"{BTC}@depth5"))["code"] == 0
        await ws.send_str("what")
        assert (await customer.frame(ws))["code"] == 80014
        private = await customer.open(await customer.mint())
        await private.send_str(json.dumps({"id": "5", "reqType": "sub", "dataType": f"{BTC}@depth5"}))
        while (frame := await customer.frame(private)).get("e") == "SNAPSHOT":
            pass
        assert frame["code"] == 80015

    visit(Server(ping_interval=0), story)
