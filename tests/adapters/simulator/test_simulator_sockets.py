"""WebSockets over loopback: keys, heartbeats, endings, and every fault of a socket."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from listenkey.adapters.simulator.server import Server

from .customer import KEYS, Customer, visit
from .held import HeldServer

pytestmark = pytest.mark.loopback
D = Decimal


def quiet(**settings: Any) -> Server:
    """A server whose sockets bring only the frames that a test causes."""
    return Server(**({"ping_interval": 0.0, "snapshot_on_connect": False} | settings))


def held(**settings: Any) -> HeldServer:
    """A quiet server whose clock is moved by the test."""
    return HeldServer(**({"ping_interval": 0.0, "snapshot_on_connect": False} | settings))


def trade(server: Server, qty: str = "0.01", parts: int = 1) -> None:
    server.exchange.trade("BTC-USDT", "BUY", D(qty), now=server.now(), parts=parts)


async def until(truth: Any, *, within: float = 20.0) -> None:
    """Wait until this holds."""
    end = time.monotonic() + within
    while not truth():
        assert time.monotonic() < end, "it never was"
        await asyncio.sleep(0.005)


def test_a_fill_reaches_the_socket() -> None:
    """A fill is pushed as an order frame and then an account frame, and the log has the socket and its closing."""
    server = quiet()

    async def story(customer: Customer) -> None:
        key = await customer.mint()
        ws = await customer.open(key)
        trade(server)
        order, account = await customer.frames(ws, 2)
        assert (order["o"]["X"], account["a"]["m"]) == ("FILLED", "ORDER")
        await ws.close()
        await until(lambda: server.log.closings)
        assert [each.key for each in server.log.openings] == [key]
        assert (server.log.closings[0].reason, server.log.closings[0].code) == ("client", 1000)
        assert server.log.max_sockets_together == 1

    visit(server, story)


def test_a_connection_is_greeted_with_a_snapshot_and_again_every_interval() -> None:
    """A snapshot is the account and each symbol's configuration, pushed at the opening and after each interval."""
    server = Server(ping_interval=0.0, snapshot_interval=0.05)

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        assert not ws.compress
        symbols = len(server.exchange.market.instruments)
        for _ in range(2):
            account, *configs = await customer.frames(ws, 1 + symbols)
            assert account["e"] == "SNAPSHOT"
            assert account["a"]["B"][0]["wb"] == "100000.00000000"
            assert len(configs) == len([each for each in configs if each["e"] == "SNAPSHOT" and "ac" in each])
        await ws.close()

    visit(server, story)


def test_every_symbols_configuration_comes_again_every_interval() -> None:
    """With `config_interval` each symbol's configuration is pushed again each interval, without any snapshot."""
    server = quiet(config_interval=0.05)

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        symbols = set(server.exchange.market.instruments)
        for _ in range(2):
            frames = await customer.frames(ws, len(symbols))
            assert {frame["e"] for frame in frames} == {"ACCOUNT_CONFIG_UPDATE"}
            assert {frame["ac"]["s"] for frame in frames} == symbols
        await ws.close()

    visit(server, story)


def test_settings_reach_what_they_are_about() -> None:
    """Settings change the frames' names, the account id, conditional orders, and the shapes of rows."""
    server = quiet(
        wire="td",
        event_name="TRADE_UPDATE",
        account_id="4711",
        triggered="silent",
        closed_stops="unknown",
        signed_shorts=True,
        income_trades="bare",
        fill_rows=1,
        hedge=False,
        rate_limits=False,
    )

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        now, exchange = server.now(), server.exchange
        stop = exchange.place("BTC-USDT", "SELL", D("0.01"), now=now, type="STOP_MARKET", stop_price=D(1))
        made = exchange.trigger(stop.id, now=now)
        exchange.fill(made.id, D("0.004"), now=now)
        exchange.fill(made.id, now=now)
        placed, first, last, *_ = await customer.frames(ws, 5)
        assert {each["e"] for each in (placed, first, last)} == {"TRADE_UPDATE"}
        assert (placed["o"]["i"], first["o"]["i"], first["o"]["ti"]) == (stop.id, made.id, stop.id)
        assert not {"l", "L"} & set(last["o"])
        (balance, _) = (await customer.get("/openApi/swap/v3/user/balance"))["data"]
        assert balance["userId"] == "4711"
        asked = await customer.get("/openApi/swap/v2/trade/order", symbol="BTC-USDT", orderId=stop.id)
        assert asked["code"] == 109421
        (position,) = (await customer.get("/openApi/swap/v2/user/positions"))["data"]
        assert position["positionAmt"] == "-0.01"
        income = (await customer.get("/openApi/swap/v2/user/income"))["data"]
        assert [row["tradeId"] for row in income] == ["", ""]
        window = {"startTs": now - 1000, "endTs": server.now()}
        fills = (await customer.get("/openApi/swap/v2/trade/fillHistory", **window))["data"]
        assert fills["total"] == 1
        await ws.close()

    visit(server, story)


def test_the_handshake_is_refused_without_a_valid_key() -> None:
    """A handshake with a missing, unknown, deleted or expired key is refused with 401."""
    server = quiet()

    async def story(customer: Customer) -> None:
        deleted, expired = await customer.mint(), await customer.mint()
        await customer.call("DELETE", KEYS, listenKey=deleted)
        server.fault("expire_silently")
        for key in ("", "unknown", deleted, expired):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await customer.open(key)
            assert refused.value.status == 401
        assert [each.reason for each in server.log.refused] == ["key"] * 4

    visit(server, story)


def test_pings_are_answered_or_the_connection_is_dropped() -> None:
    """A client that answers pings stays connected; one that does not is dropped without a close frame."""
    server = quiet(ping_interval=0.02)

    async def story(customer: Customer) -> None:
        key, other = await customer.mint(), await customer.mint()
        ws, mute = await customer.open(key), await customer.open(other)
        while not server.log.closings:
            assert await customer.text(ws) == "Ping"
            await ws.send_str("Pong")
        assert (server.log.closings[0].key, server.log.closings[0].reason) == (other, "no pong")
        while (message := await customer.raw(mute)).type is aiohttp.WSMsgType.BINARY:
            assert gzip.decompress(message.data) == b"Ping"
        assert mute.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        assert len(server.log.pongs) >= 5
        await ws.close()

    visit(server, story)


def test_text_that_is_no_pong_is_answered_with_an_error() -> None:
    """An empty object is answered as invalid, a subscription as not supported, and the socket stays open."""
    server = quiet()

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        await ws.send_str("{}")
        assert (await customer.frame(ws))["code"] == 80014
        await ws.send_str('{"id":"1","reqType":"sub","dataType":"ACCOUNT_UPDATE"}')
        assert (await customer.frame(ws))["code"] == 80015
        assert not ws.closed
        await ws.close()

    visit(server, story)


def test_two_sockets_on_one_key_share_its_frames() -> None:
    """Sockets on one key get each frame only once between them; a socket on another key gets all frames."""
    server = quiet()

    async def story(customer: Customer) -> None:
        one, two = await customer.mint(), await customer.mint()
        first, second, whole = await customer.open(one), await customer.open(one), await customer.open(two)
        trade(server, parts=1)
        trade(server, parts=1)
        everything = await customer.frames(whole, 4)
        halves = [await customer.frames(first, 2), await customer.frames(second, 2)]
        assert sorted(map(str, halves[0] + halves[1])) == sorted(map(str, everything))
        assert server.log.max_sockets_on_one_key == 2
        assert server.log.max_sockets_together == 3
        for ws in (first, second, whole):
            await ws.close()

    visit(server, story)


def test_same_key_gives_the_key_in_use_and_both_sockets_get_everything() -> None:
    """With `same_key` a mint returns the key in use, and both of its sockets get each frame."""
    server = quiet()

    async def story(customer: Customer) -> None:
        key = await customer.mint()
        first = await customer.open(key)
        server.fault("same_key")
        await until(lambda: server.faults.active("same_key", server.elapsed()))
        assert await customer.mint() == key
        second = await customer.open(key)
        trade(server)
        assert await customer.frames(first, 2) == await customer.frames(second, 2)
        await first.close()
        await second.close()

    visit(server, story)


def test_a_key_that_ends_is_pushed_and_its_socket_goes_silent() -> None:
    """A socket whose key expires gets `listenKeyExpired` and then only pings, and its key cannot be renewed."""
    server = held(ping_interval=1.0, key_validity=10.0)

    async def story(customer: Customer) -> None:
        key = await customer.mint()
        ws = await customer.open(key)
        server.at = 10.5
        notice = await customer.frame(ws)
        assert (notice["e"], notice["listenKey"]) == ("listenKeyExpired", key)
        trade(server)
        for _ in range(3):
            server.at += 1
            assert await customer.text(ws) == "Ping"
            await ws.send_str("Pong")
        status, _ = await customer.call("PUT", KEYS, listenKey=key)
        assert status == 404
        await ws.close()

    visit(server, story)


@pytest.mark.parametrize(("fault", "said"), [("expire_key", True), ("expire_silently", False)])
def test_keys_can_be_made_to_expire(fault: str, said: bool) -> None:
    """The socket of an expired key stays open and brings no more fills, whether its end is pushed or not."""
    server = quiet()

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        server.fault(fault)
        if said:
            assert (await customer.frame(ws))["e"] == "listenKeyExpired"
        trade(server)
        assert await customer.nothing(ws)

    visit(server, story)


def test_a_renewed_key_lives_on() -> None:
    """A key that is renewed in time gets frames beyond its first validity."""
    server = held(key_validity=20.0)

    async def story(customer: Customer) -> None:
        key = await customer.mint()
        ws = await customer.open(key)
        for _ in range(4):
            server.at += 8
            assert await customer.call("PUT", KEYS, listenKey=key) == (200, "")
        trade(server)
        server.at += 0.1
        assert (await customer.frame(ws))["o"]["X"] == "FILLED"
        await ws.close()

    visit(server, story)


def test_a_deleted_key_leaves_its_socket_silent_and_is_remembered() -> None:
    """A deleted key's socket gets no more frames, and the log lists the keys deleted while in use."""
    server = quiet()

    async def story(customer: Customer) -> None:
        key, unused = await customer.mint(), await customer.mint()
        ws = await customer.open(key)
        await customer.call("DELETE", KEYS, listenKey=key)
        await customer.call("DELETE", KEYS, listenKey=unused)
        trade(server)
        assert await customer.nothing(ws)
        assert server.log.keys_deleted_in_use == [key]
        assert [(each.ok, each.in_use) for each in server.log.deletions] == [(True, True), (True, False)]

    visit(server, story)


def test_a_socket_ends_with_its_age() -> None:
    """A socket is closed after a day of real time, with a close frame, regardless of exchange time."""
    server = held(max_socket_age=86400.0, time_scale=0.5, key_validity=10**9)

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        server.advance(100_000)
        assert await customer.nothing(ws)
        server.at += 86400
        message = await customer.raw(ws)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        await until(lambda: server.log.closings)
        assert server.log.closings[0].reason == "age"

    visit(server, story)


def test_refuse_and_accept_close() -> None:
    """`refuse` answers one handshake with 503, `accept_close` closes one socket at once, and the next works."""
    server = quiet()

    async def story(customer: Customer) -> None:
        key = await customer.mint()
        server.fault("refuse")
        server.fault("accept_close", code=1001)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await customer.open(key)
        assert refused.value.status == 503
        brief = await customer.open(key)
        assert (await customer.raw(brief)).type is aiohttp.WSMsgType.CLOSE
        assert brief.close_code == 1001
        ws = await customer.open(key)
        trade(server)
        assert await customer.frame(ws)
        await ws.close()

    visit(server, story)


def test_drop_tcp_resets_sockets_and_refuses_new_ones_meanwhile() -> None:
    """`drop_tcp` cuts sockets without a close frame, refuses sockets and REST meanwhile, and then ends."""
    server = held()

    async def story(customer: Customer) -> None:
        key = await customer.mint()
        ws = await customer.open(key)
        server.fault("drop_tcp", seconds=0.15)
        message = await customer.raw(ws)
        assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
        with pytest.raises(aiohttp.ClientError):
            await customer.open(key)
        with pytest.raises(aiohttp.ClientError):
            await customer.get("/openApi/swap/v2/server/time")
        trade(server)
        server.at += 0.15
        ws = await customer.open(key)
        assert server.log.closings[0].reason == "drop_tcp"
        assert server.log.refused[0].reason == "drop_tcp"
        await ws.close()

    visit(server, story)


def test_silent_sockets_stay_open_and_new_ones_speak() -> None:
    """`silent` stops frames and pings of the open sockets without dropping them, and new sockets get frames."""
    server = quiet(ping_interval=0.02)

    async def story(customer: Customer) -> None:
        key, other = await customer.mint(), await customer.mint()
        ws = await customer.open(key)
        server.fault("silent")
        trade(server)
        assert await customer.nothing(ws, within=0.2)
        assert not server.log.closings
        fresh = await customer.open(other)
        trade(server)
        assert (await customer.frame(fresh))["o"]["X"] == "FILLED"
        await fresh.close()

    visit(server, story)


def test_silence_with_a_duration_ends() -> None:
    """After a silence with a duration its frames stay lost, and later ones come."""
    server = held()

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        server.fault("silent", seconds=0.1)
        trade(server, "0.01")
        server.at = 0.05
        assert await customer.nothing(ws, within=0.1)
        server.at = 0.1
        trade(server, "0.02")
        server.at = 0.15
        # `nothing` has cancelled a receive; the socket is still good.
        assert (await customer.frame(ws))["o"]["q"] == "0.02000000"
        await ws.close()

    visit(server, story)


def test_delayed_frames_keep_their_order() -> None:
    """`delay` delivers all frames later, in their order."""
    server = held()

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        server.fault("delay", by=0.15, seconds=0.05)
        trade(server, "0.01")
        server.at = 0.04
        assert await customer.nothing(ws, within=0.1)
        server.at = 0.1
        trade(server, "0.02")
        server.at = 0.14
        assert await customer.nothing(ws, within=0.1)
        server.at = 0.2
        frames = await customer.frames(ws, 4)
        assert [frame["o"]["q"] for frame in frames if "o" in frame] == ["0.01000000", "0.02000000"]
        await ws.close()

    visit(server, story)


def test_frames_can_be_lost_repeated_and_swapped() -> None:
    """`lose_frame`, `repeat_frame` and `reorder_frames` each act once, when a socket is open, and are logged."""
    server = quiet()

    async def story(customer: Customer) -> None:
        server.fault("lose_frame")
        trade(server)
        ws = await customer.open(await customer.mint())
        await asyncio.sleep(0.03)
        trade(server, "0.02")
        (account,) = await customer.frames(ws, 1)
        assert account["e"] == "ACCOUNT_UPDATE"
        server.fault("repeat_frame")
        trade(server)
        first, again, _ = await customer.frames(ws, 3)
        assert first == again
        server.fault("reorder_frames")
        trade(server, "0.02", parts=2)
        later, earlier = [frame["o"] for frame in await customer.frames(ws, 4) if "o" in frame]
        assert (later["X"], earlier["X"]) == ("FILLED", "PARTIALLY_FILLED")
        done = [each.name for each in server.log.faults if each.detail != "begins"]
        assert done == ["lose_frame", "repeat_frame", "reorder_frames"]
        await ws.close()

    visit(server, story)


def test_garbage_and_a_bomb_come_as_binary_frames() -> None:
    """`garbage` and `oversized` come as binary frames, and the socket stays open."""
    server = quiet()

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        server.fault("garbage")
        for _ in range(9):
            assert (await customer.raw(ws)).type is aiohttp.WSMsgType.BINARY
        server.fault("garbage", kind="list")
        assert isinstance(json.loads(await customer.text(ws)), list)
        server.fault("oversized", mebibytes=2)
        assert len(await customer.text(ws)) == 2 * 1024 * 1024
        trade(server)
        assert await customer.frame(ws)
        await ws.close()

    visit(server, story)


def test_scheduled_faults_begin_by_themselves() -> None:
    """A fault NAME@SECONDS begins so many seconds after the server was made."""
    server = held(faults=["expire_key@5"])

    async def story(customer: Customer) -> None:
        key = await customer.mint()
        ws = await customer.open(key)
        for server.at, lives in ((4.9, True), (5.0, False)):
            server.step()
            assert server.keys.valid(key, server.wall()) is lives
        assert (await customer.frame(ws))["e"] == "listenKeyExpired"
        await ws.close()

    visit(server, story)


def test_a_busy_account_reaches_the_socket_whole() -> None:
    """At 500 fills a second every fill is pushed once, in order."""
    server = quiet(fills_per_second=500.0, wire="captured", seed=5)

    async def story(customer: Customer) -> None:
        ws = await customer.open(await customer.mint())
        before = len(server.exchange.fills)
        server.quiet(False)
        await until(lambda: len(server.exchange.fills) > before + 50, within=60.0)
        server.quiet()
        made = [(fill.order_id, fill.end) for fill in server.exchange.fills[before:]]
        pushed: list[tuple[int, Decimal]] = []
        while not made or not pushed or pushed[-1] != made[-1]:
            frame = await customer.frame(ws)
            if "o" in frame and D(frame["o"]["n"]):
                pushed.append((frame["o"]["i"], D(frame["o"]["z"])))
        assert pushed == made
        await ws.close()

    server.quiet()
    visit(server, story)
