"""Sockets of Binance's wire over loopback: the frames of each path, requests, pings, endings, and every fault."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from listenkey.adapters.simulator.binance.garbage import garbage

from .held import HeldServer
from .trader import Trader, visit

pytestmark = pytest.mark.loopback
D = Decimal
ALL = "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/listenKeyExpired"


def server(**chosen: Any) -> HeldServer:
    """Return a held server with these readings."""
    return HeldServer(venue="binance-usdm", hedge=False, readings={"types": "account_first", "lite": "none", **chosen})


def trade(exchange: HeldServer) -> None:
    """Make one fill, and let its frames be sent."""
    exchange.exchange.trade("BTCUSDT", "BUY", D("0.01"), now=exchange.now())
    exchange.at += 0.1
    exchange.step()


FILLED = ["ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]


@pytest.mark.parametrize(
    ("path", "chosen", "heard"),
    [
        ("/private/ws?listenKey={key}&events=" + ALL, {}, FILLED),
        ("/private/ws?events=ORDER_TRADE_UPDATE&listenKey={key}", {}, FILLED[1:]),
        ("/private/ws?listenKey={key}&events=ACCOUNT_UPDATE", {}, FILLED[:1]),
        ("/private/ws?listenKey={key}&events=ACCOUNT_UPDAT", {}, []),
        ("/private/ws?listenKey={key}", {}, FILLED),
        ("/private/ws?listenKey={key}", {"no_events": "none"}, []),
        ("/private/stream?listenKey={key}&events=ACCOUNT_UPDATE&listenKey=x&events=" + ALL, {}, FILLED[:1]),
        ("/private/ws/{key}", {}, []),
        ("/private/ws/{key}", {"path_keys": "delivered"}, FILLED),
        ("/ws/{key}", {}, []),
        ("/ws/{key}", {"unrouted": "delivered"}, FILLED),
        ("/stream?streams={key}", {"unrouted": "delivered"}, FILLED),
        ("/private/ws?listenKey=" + "x" * 64, {}, []),
        ("/private/ws", {}, []),
    ],
)
def test_every_socket_opens_and_few_hear(path: str, chosen: dict[str, str], heard: list[str]) -> None:
    """Any path and key completes the handshake, but a wrong key, path or event name gets no frames."""
    exchange = server(**chosen)

    async def story(trader: Trader) -> None:
        ws = await trader.open(path.format(key=await trader.minted()))
        trade(exchange)
        assert await trader.events(ws) == heard

    visit(exchange, story)


def test_frames_of_a_stream_are_in_envelopes() -> None:
    """Frames of a `/stream` path are in envelopes that have the key and the subscribed event."""
    exchange = server()

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        ws = await trader.open("/private/stream")
        await ws.send_json({"method": "SUBSCRIBE", "params": [key, f"{key}@ACCOUNT_UPDATE", "nonsense"], "id": 1})
        assert await trader.frame(ws) == {"result": None, "id": 1}
        trade(exchange)
        names = [(await trader.frame(ws))["stream"] for _ in range(3)]
        assert names == [key, f"{key}@ACCOUNT_UPDATE", key]
        await ws.send_json({"method": "UNSUBSCRIBE", "params": [key], "id": 2})
        assert await trader.frame(ws) == {"result": None, "id": 2}
        trade(exchange)
        assert (await trader.frame(ws))["stream"] == f"{key}@ACCOUNT_UPDATE"

    visit(exchange, story)


@pytest.mark.parametrize(("shows", "after"), [("asked", True), ("alive", False), ("none", None)])
def test_a_list_of_subscriptions_may_know_of_a_dead_key(shows: str, after: bool | None) -> None:
    """A list of subscriptions has the asked ones sorted, or none of a dead key, or is not answered, by its reading."""
    exchange = server(subscriptions=shows, expiry="never")

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        ws = await trader.open(
            f"/private/ws?listenKey={key}&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/ALGO_ORDER_UPDATE"
        )
        names = [f"{key}@{name}" for name in ("ACCOUNT_UPDATE", "ALGO_ORDER_UPDATE", "ORDER_TRADE_UPDATE")]
        ask = {"method": "LIST_SUBSCRIPTIONS", "id": 9}
        if after is not None:
            await ws.send_json(ask)
            assert await trader.frame(ws) == {"result": names, "id": 9}
        exchange.fault("expire_key")
        await ws.send_json(ask)
        await ws.send_json({"method": "nothing", "id": 10})
        if after is not None:
            assert (await trader.frame(ws))["result"] == (names if after else [])
        assert (await trader.frame(ws))["id"] == 10

    visit(exchange, story)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("{", {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}),
        ("[1]", {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}),
        (
            '{"method":"LIST_SUBSCRIPTIONS","id":"a"}',
            {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"},
        ),
        ('{"id":3}', {"error": {"code": 2, "msg": "Invalid request: missing field `method`"}, "id": 3}),
    ],
)
def test_what_is_no_request(said: str, answer: dict[str, Any]) -> None:
    """A text that is no valid request is answered with the documented error."""
    exchange = server()

    async def story(trader: Trader) -> None:
        ws = await trader.open("/private/ws")
        await ws.send_str(said)
        assert await trader.frame(ws) == answer
        await ws.send_str('{"method":"REQUEST","params":["k@account"],"id":12}')
        assert "not modelled" in (await trader.frame(ws))["error"]["msg"]

    visit(exchange, story)


def test_requests_may_be_numbered_with_text() -> None:
    """With `request_ids="text"` a request's id may be a text of 1 to 36 characters."""
    exchange = server(request_ids="text")

    async def story(trader: Trader) -> None:
        ws, key = await trader.open("/private/stream"), await trader.minted()
        await ws.send_str(f'{{"method":"SUBSCRIBE","params":["{key}"],"id":"{"a" * 36}"}}')
        assert await trader.frame(ws) == {"result": None, "id": "a" * 36}
        for wrong in ('""', f'"{"a" * 37}"', "true"):
            await ws.send_str(f'{{"method":"SUBSCRIBE","params":["{key}"],"id":{wrong}}}')
            assert (await trader.frame(ws))["code"] == 2
        trade(exchange)
        frame = await trader.frame(ws)
        assert (frame["stream"], frame["data"]["e"]) == (key, "ACCOUNT_UPDATE")

    visit(exchange, story)


def test_notices_go_to_whoever_asked_for_them() -> None:
    """Margin calls and changes of multi-assets mode go to sockets subscribed to them, and REST shows the mode."""
    exchange = server()

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        asking = await trader.open(f"/private/ws?listenKey={key}&events=MARGIN_CALL/ACCOUNT_CONFIG_UPDATE")
        other = await trader.open(f"/private/ws?listenKey={key}&events=ORDER_TRADE_UPDATE")
        exchange.fault("margin_call")
        trade(exchange)
        exchange.fault("margin_call")
        exchange.fault("assets_mode")
        exchange.step()
        assert await trader.events(asking) == ["MARGIN_CALL", "ACCOUNT_CONFIG_UPDATE"]
        assert await trader.events(other) == ["ORDER_TRADE_UPDATE"]
        assert await trader.get("/fapi/v1/multiAssetsMargin") == {"multiAssetsMargin": True}
        exchange.fault("assets_mode", on=False)
        exchange.step()
        assert (await trader.get("/fapi/v1/accountConfig"))["multiAssetsMargin"] is False

    visit(exchange, story)


def test_each_socket_of_a_key_gets_each_frame() -> None:
    """Each socket of a key gets each frame, and none of them is greeted with a snapshot."""
    exchange = server()

    async def story(trader: Trader) -> None:
        url = f"/private/ws?listenKey={await trader.minted()}&events={ALL}"
        sockets = [await trader.open(url) for _ in range(2)]
        trade(exchange)
        for ws in sockets:
            assert await trader.events(ws) == FILLED

    visit(exchange, story)


def test_an_idle_stream_brings_pings_and_nothing_else() -> None:
    """An idle stream brings only pings, by default every 180 s, and a client without a pong for ten minutes is cut.

    The test uses an interval of 50 ms on a clock that it moves.
    """
    usual = server()
    assert (usual.hub._ping_interval, round(usual.hub.unanswered_pings * 180)) == (180.0, 600)
    exchange = HeldServer(venue="binance-usdm", ping_interval=0.05)

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        good, mute = [await trader.open(f"/private/ws?listenKey={key}") for _ in range(2)]
        for _ in range(5):
            exchange.at += 0.05
            exchange.step()
            message = await trader.raw(good)
            assert message.type is aiohttp.WSMsgType.PING
            await good.pong(message.data)
            await trader.events(good)
        await trader.raw(mute)
        while (await trader.raw(mute)).type is aiohttp.WSMsgType.PING:
            continue
        assert exchange.log.pings_sent == 9

    visit(exchange, story)
    assert [each.reason for each in exchange.log.closings].count("no pong") == 1


def test_a_socket_without_pongs_gets_no_ping_once_it_is_cut() -> None:
    """The exchange steps on before the connection is gone, here without a turn of the event loop in between."""
    exchange = HeldServer(venue="binance-usdm", ping_interval=0.05)

    async def story(trader: Trader) -> None:
        await trader.open(f"/private/ws?listenKey={await trader.minted()}")
        for _ in range(10):
            exchange.at += 0.05
            exchange.step()
        assert exchange.log.pings_sent == 4

    visit(exchange, story)


@pytest.mark.parametrize("answered", ["answered", "ignored"])
def test_a_ping_of_the_client(answered: str) -> None:
    """A client's ping is answered with its payload or not, as the reading says, and an unasked pong is counted."""
    exchange = server(client_pings=answered)

    async def story(trader: Trader) -> None:
        ws = await trader.open("/private/ws")
        await ws.pong(b"here")
        await ws.ping(b"there")
        if answered == "answered":
            message = await trader.raw(ws)
            assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"there")
        assert await trader.events(ws) == []
        assert len(exchange.log.pongs) == 1

    visit(exchange, story)


@pytest.mark.parametrize(("cut", "code"), [("abrupt", 1006), ("closed", 1001)])
def test_a_socket_lives_a_day(cut: str, code: int) -> None:
    """A socket ends after a day, with a close frame or without, as the reading says."""
    exchange = server(age_cut=cut)
    exchange.hub._ping_interval = 0.0

    async def story(trader: Trader) -> None:
        ws = await trader.open("/private/ws")
        exchange.at += 86_399
        exchange.step()
        assert await trader.events(ws) == []
        exchange.at += 1
        exchange.step()
        await trader.raw(ws)
        assert ws.close_code == code

    visit(exchange, story)


def test_who_says_too_much_is_cut() -> None:
    """A client that sends eleven messages within a second is cut."""
    exchange = server()

    async def story(trader: Trader) -> None:
        ws = await trader.open("/private/ws")
        for number in range(11):
            await ws.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        while (await trader.raw(ws)).type is aiohttp.WSMsgType.TEXT:
            continue

    visit(exchange, story)
    assert exchange.log.closings[0].reason == "more than 10 messages in a second"


@pytest.mark.parametrize("by", ["expire_key", "DELETE", "delete_key", "validity"])
def test_an_end_of_the_key_is_pushed_to_those_who_let_it_through(by: str) -> None:
    """A key's end is pushed to sockets whose events include it; all sockets stay open and get no more frames."""
    exchange = server()
    exchange.hub._ping_interval = 0.0

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        urls = [f"/private/ws?listenKey={key}&events={ALL}", f"/private/ws?listenKey={key}"]
        filtered = [f"/private/ws?listenKey={key}&events=ACCOUNT_UPDATE", f"/ws/{key}"]
        sockets = [await trader.open(url) for url in urls + filtered]
        if by == "DELETE":
            await trader.key("DELETE")
            assert exchange.log.keys_deleted_in_use == [key]
        elif by == "validity":
            exchange.at += 3600
            exchange.step()
        else:
            exchange.fault(by)
        trade(exchange)
        heard = [await trader.events(ws) for ws in sockets]
        assert heard == [["listenKeyExpired"], ["listenKeyExpired"], [], []]
        again = await trader.minted()
        assert again != key
        trade(exchange)
        assert [await trader.events(ws) for ws in sockets] == [[]] * 4

    visit(exchange, story)


@pytest.mark.parametrize(
    ("fault", "chosen"),
    [("expire_silently", {}), ("expire_key", {"expiry": "never"}), ("delete_key", {"deletion": "silent"})],
)
def test_a_dead_key_with_an_open_socket(fault: str, chosen: dict[str, str]) -> None:
    """A key that ends silently leaves its socket open with pings and answers to requests, but without events."""
    exchange = server(**chosen)

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        ws = await trader.open(f"/private/ws?listenKey={key}&events={ALL}")
        exchange.fault(fault)
        trade(exchange)
        assert await trader.events(ws) == []
        exchange.at += 180
        exchange.step()
        assert (await trader.raw(ws)).type is aiohttp.WSMsgType.PING
        assert (await trader.key("PUT")).body["code"] == -1125

    visit(exchange, story)


def test_a_valid_key_with_a_silent_socket() -> None:
    """With `eventless` an open socket gets no events while its key stays valid, and a new socket gets them."""
    exchange = server()

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        url = f"/private/ws?listenKey={key}&events={ALL}"
        ws = await trader.open(url)
        exchange.fault("eventless", seconds=5.0)
        trade(exchange)
        assert await trader.events(ws) == []
        assert (await trader.key("PUT")).body == {"listenKey": key}
        other = await trader.open(url)
        trade(exchange)
        assert await trader.events(ws) == []
        assert await trader.events(other) == FILLED
        exchange.at += 5
        trade(exchange)
        assert await trader.events(ws) == FILLED

    visit(exchange, story)


def test_a_half_open_socket() -> None:
    """With `silent` an open socket gets no event, no answer and no ping until the fault ends."""
    exchange = server()

    async def story(trader: Trader) -> None:
        ws = await trader.open(f"/private/ws?listenKey={await trader.minted()}")
        exchange.fault("silent", seconds=200.0)
        await ws.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        await ws.ping(b"x")
        await trader.events(await trader.open("/private/ws"))
        exchange.at += 180
        exchange.step()
        exchange.at += 20
        exchange.fault("garbage", kind="number")
        assert (await trader.raw(ws)).data == "42"

    visit(exchange, story)


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        ("lose_frame", ["ACCOUNT_UPDATE"]),
        ("repeat_frame", ["ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE"]),
    ],
)
def test_frames_get_lost_and_doubled(fault: str, heard: list[str]) -> None:
    """`lose_frame` drops one order frame, and `repeat_frame` sends one twice."""
    exchange = server()

    async def story(trader: Trader) -> None:
        ws = await trader.open(f"/private/ws?listenKey={await trader.minted()}&events={ALL}")
        exchange.fault(fault)
        trade(exchange)
        assert await trader.events(ws) == heard

    visit(exchange, story)


def test_garbage_comes_as_it_is() -> None:
    """`garbage` sends each kind of broken frame unchanged; one that is not UTF-8 ends the client's socket."""
    exchange = server()

    async def story(trader: Trader) -> None:
        ws = await trader.open("/private/ws")
        exchange.fault("garbage")
        for name, frame in garbage().items():
            message = await trader.raw(ws)
            if name == "not_utf8":
                assert message.type in {aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
                return
            assert message.data == (frame if name == "binary" else frame.decode())

    visit(exchange, story)


def test_a_giant_frame() -> None:
    """`oversized` sends a frame of more than the given MiB."""
    exchange = server()

    async def story(trader: Trader) -> None:
        ws = await trader.open("/private/ws")
        exchange.fault("oversized", mebibytes=1)
        message = await trader.raw(ws)
        assert len(message.data) > 1024 * 1024

    visit(exchange, story)


def test_handshakes_can_be_refused() -> None:
    """A handshake can be refused by a status, by a close at once, or by a reset."""
    exchange = server()

    async def story(trader: Trader) -> None:
        exchange.fault("refuse")
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await trader.open("/private/ws")
        exchange.fault("accept_close", code=1008)
        ws = await trader.open("/private/ws")
        await trader.raw(ws)
        assert ws.close_code == 1008
        exchange.fault("drop_tcp", seconds=9.0)
        with pytest.raises(aiohttp.ClientError):
            await trader.open("/private/ws")
        assert {each.reason for each in exchange.log.refused} == {"refuse", "drop_tcp"}

    visit(exchange, story)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("btcusdt@aggTrade", "aggTrade"),
        ("btcusdt@trade", "trade"),
        ("btcusdt@bookTicker", "bookTicker"),
        ("btcusdt@ticker", "24hrTicker"),
        ("btcusdt@miniTicker", "24hrMiniTicker"),
        ("btcusdt@markPrice@1s", "markPriceUpdate"),
        ("btcusdt@kline_1m", "kline"),
        ("btcusdt@depth5@100ms", "depthUpdate"),
        ("!ticker@arr", "24hrTicker"),
    ],
)
def test_the_market_is_followed_without_a_key(name: str, event: str) -> None:
    """Market streams need no key, and are subscribed by path or by request; an unknown stream is refused."""
    exchange = server()

    async def story(trader: Trader) -> None:
        ws = await trader.open(f"/market/ws/{name}")
        exchange.step()
        frame = await trader.frame(ws)
        shown = frame[0] if isinstance(frame, list) else frame
        assert (shown["e"], shown["s"]) == (event, "BTCUSDT")
        other = await trader.open("/public/stream")
        await other.send_json({"method": "SUBSCRIBE", "params": [name], "id": 1})
        assert await trader.frame(other) == {"result": None, "id": 1}
        exchange.at += 1
        exchange.step()
        assert (await trader.frame(other))["stream"] == name
        await other.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@forceOrder"], "id": 2})
        while (answer := await trader.frame(other)).get("id") != 2:
            continue
        assert "not modelled" in answer["error"]["msg"]

    visit(exchange, story)


def test_a_book_is_followed_from_what_was_read() -> None:
    """Each update of a book adjoins the one before, and applied to the book from REST they give the present one."""
    exchange = server()

    async def story(trader: Trader) -> None:
        ws = await trader.open("/public/ws/btcusdt@depth@100ms")
        exchange.step()
        read = (await trader.call("GET", "/fapi/v1/depth", signed=False, symbol="BTCUSDT", limit=1000)).body
        books = {side: dict(map(tuple, read[name])) for side, name in (("b", "bids"), ("a", "asks"))}
        last = read["lastUpdateId"]
        for _ in range(3):
            exchange.at += 1
            exchange.step()
            update = await trader.frame(ws)
            assert update["U"] <= last < update["u"]
            assert update["pu"] == last
            last = update["u"]
            for side, book in books.items():
                book |= dict(map(tuple, update[side]))
        now = (await trader.call("GET", "/fapi/v1/depth", signed=False, symbol="BTCUSDT", limit=1000)).body
        for side, name in (("b", "bids"), ("a", "asks")):
            left = {price: qty for price, qty in books[side].items() if qty != "0"}
            assert left == dict(map(tuple, now[name]))

    visit(exchange, story)
