"""Frames have exactly the shapes that were documented or captured."""

from __future__ import annotations

import gzip
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.garbage import bomb, garbage
from listenkey.adapters.simulator.orders import PRICED, STOPS, Triggered
from listenkey.adapters.simulator.pushes import config_of
from listenkey.adapters.simulator.wire import PING, EventName, Wire, WireName, key_expired, packed

BEGIN = 1_758_608_899_000
FOREVER = BEGIN + 10**9
D = Decimal
CAPTURED = {"s", "c", "i", "S", "o", "q", "p", "sp", "ap", "x", "X", "N", "n", "T", "wt", "ps", "rp", "z"}
TD = CAPTURED | {"sg", "ti", "ro", "td", "tv"}
MODERN = TD | {"l", "L"}


def pushed(exchange: Exchange, wire: Wire) -> list[dict[str, Any]]:
    return [wire.frame(push) for push in exchange.due(FOREVER)]


@pytest.mark.parametrize(("name", "fields"), [("modern", MODERN), ("captured", CAPTURED), ("td", TD)])
def test_order_frame_then_account_frame(name: WireName, fields: set[str]) -> None:
    """A fill is shown by the order's frame and 2 ms later by the account's, with the fields of that wire only."""
    exchange = Exchange(now=BEGIN)
    exchange.trade("BTC-USDT", "SELL", D("0.001"), now=BEGIN, position_side="SHORT")
    wire = Wire(name)
    order, account = pushed(exchange, wire)
    assert set(order["o"]) == fields
    assert wire.exact == ({"l", "L"} <= fields)
    assert order["e"] == "ORDER_TRADE_UPDATE"
    assert ("T" in order) == (name != "captured")
    assert account["E"] - order["E"] == 2
    body = order["o"]
    assert isinstance(body["i"], int)
    assert body["i"] > 2**53
    assert (body["x"], body["X"], body["o"], body["ps"]) == ("TRADE", "FILLED", "MARKET", "SHORT")
    assert (body["q"], body["z"]) == ("0.00100000", "0.00100000")
    assert D(body["n"]) < 0
    assert body["p"] != body["ap"]
    assert account["e"] == "ACCOUNT_UPDATE"
    (balance,) = account["a"]["B"]
    assert set(balance) == {"a", "wb", "cw", "bc"}
    assert balance["bc"] == "0"
    assert D(balance["wb"]) == D(100_000) + D(body["n"])
    (position,) = account["a"]["P"]
    assert (position["pa"], position["ps"], position["mt"]) == ("0.00100000", "SHORT", "cross")
    assert ("cr" in position) == (name != "captured")
    assert D(balance["wb"]) - D(balance["cw"]) == D(position["iw"]) - D(position["up"])


def test_parts_say_what_was_filled_last_or_leave_it_to_be_derived() -> None:
    """`l`, `L`, `n` and `rp` of a frame are of its fill, `z` and `ap` of the whole order."""
    exchange = Exchange(now=BEGIN)
    order = exchange.place("SOL-USDT", "BUY", D(3), now=BEGIN, silent=True)
    exchange.fill(order.id, D(1), now=BEGIN, price=D(150))
    exchange.fill(order.id, D(2), now=BEGIN + 1, price=D(153))
    first, second = (frame["o"] for frame in pushed(exchange, Wire()) if "o" in frame)
    assert (first["X"], first["z"], first["l"], first["L"], first["ap"]) == (
        "PARTIALLY_FILLED",
        "1.00000000",
        "1.00000000",
        "150.00000000",
        "150.00000000",
    )
    assert (second["X"], second["z"], second["l"], second["L"], second["ap"]) == (
        "FILLED",
        "3.00000000",
        "2.00000000",
        "153.00000000",
        "152.00000000",
    )
    assert (first["n"], second["n"]) == ("-0.07500000", "-0.15300000")
    assert first["td"] != second["td"]


def test_a_trigger_order_is_placed_as_captured() -> None:
    """A new trigger order's frame has x=TRADE and X=NEW with z=0 and an empty p, as captured."""
    exchange = Exchange(now=BEGIN)
    exchange.place("BTC-USDT", "BUY", D("0.001"), now=BEGIN, type="TRIGGER_MARKET", stop_price=D(43495))
    (frame,) = pushed(exchange, Wire())
    body = frame["o"]
    assert (body["x"], body["X"], body["z"], body["p"], body["sp"]) == (
        "TRADE",
        "NEW",
        "0.00000000",
        "",
        "43495.00000000",
    )
    assert (body["l"], body["td"], body["n"]) == ("0.00000000", 0, "0.00000000")


def test_states_without_a_fill() -> None:
    """An order that is new, amended, cancelled or expired has one frame with its quantities, and no account frame."""
    exchange = Exchange(now=BEGIN)
    order = exchange.place("LTC-USDT", "BUY", D(5), now=BEGIN, type="LIMIT", price=D(80), client_id="MyBot-1")
    exchange.fill(order.id, D(2), now=BEGIN)
    exchange.amend(order.id, D(4), now=BEGIN)
    exchange.cancel(order.id, now=BEGIN)
    other = exchange.place("LTC-USDT", "SELL", D(1), now=BEGIN, type="LIMIT", price=D(80))
    exchange.expire(other.id, now=BEGIN)
    frames = pushed(exchange, Wire())
    seen = [(f["o"]["x"], f["o"]["X"], f["o"]["q"][:4], f["o"]["z"][:4]) for f in frames if "o" in f]
    assert seen == [
        ("NEW", "NEW", "5.00", "0.00"),
        ("TRADE", "PARTIALLY_FILLED", "5.00", "2.00"),
        ("NEW", "PARTIALLY_FILLED", "4.00", "2.00"),
        ("CANCELED", "CANCELED", "4.00", "2.00"),
        ("NEW", "NEW", "1.00", "0.00"),
        ("EXPIRED", "EXPIRED", "1.00", "0.00"),
    ]
    assert {f["o"]["c"] for f in frames if "o" in f} == {"mybot-1", ""}
    assert sum(f["e"] == "ACCOUNT_UPDATE" for f in frames) == 1


def test_money_frames() -> None:
    """A funding frame has no position list in cross mode and one position in isolated mode; `bc` has the amount."""
    exchange = Exchange(now=BEGIN)
    exchange.trade("BTC-USDT", "BUY", D("0.01"), now=BEGIN)
    exchange.due(FOREVER)
    amount = exchange.fund("BTC-USDT", D("0.001"), now=BEGIN)
    exchange.set_margin_mode("BTC-USDT", "isolated", now=BEGIN)
    exchange.fund("BTC-USDT", D("0.001"), now=BEGIN)
    exchange.transfer("USDT", D(5), now=BEGIN)
    exchange.transfer("USDT", D(-5), now=BEGIN)
    exchange.set_leverage("BTC-USDT", 12, 9, now=BEGIN)
    frames = pushed(exchange, Wire())
    config = [frame for frame in frames if "ac" in frame][-1]
    cross, isolated, deposit, withdraw = (frame for frame in frames if "a" in frame)
    assert cross["a"]["m"] == "FUNDING_FEE"
    assert "P" not in cross["a"]
    assert D(cross["a"]["B"][0]["bc"]) == amount
    assert [each["s"] for each in isolated["a"]["P"]] == ["BTC-USDT"]
    assert (deposit["a"]["m"], deposit["a"]["B"][0]["bc"]) == ("DEPOSIT", "5.00000000")
    assert (withdraw["a"]["m"], withdraw["a"]["B"][0]["bc"]) == ("WITHDRAW", "-5.00000000")
    assert config["ac"] == {"s": "BTC-USDT", "l": 12, "S": 9, "mt": "isolated"}


def test_one_way_positions_are_signed() -> None:
    """A short of one-way mode has the side BOTH and a negative amount."""
    exchange = Exchange(now=BEGIN, hedge=False)
    exchange.trade("BTC-USDT", "SELL", D("0.01"), now=BEGIN)
    _, account = pushed(exchange, Wire())
    (position,) = account["a"]["P"]
    assert (position["ps"], position["pa"]) == ("BOTH", "-0.01000000")


@pytest.mark.parametrize("triggered", ["framed", "silent", "own"])
@pytest.mark.parametrize("kind", sorted(STOPS))
def test_a_triggered_order_is_pushed_or_not(kind: str, triggered: Triggered) -> None:
    """A triggered order's frame is FILLED with nothing executed; the executing order has its id in `ti`."""
    exchange = Exchange(now=BEGIN, triggered=triggered)
    price = D(64000) if kind in PRICED else None
    order = exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, type=kind, stop_price=D(64000), price=price)
    exchange.due(FOREVER)
    executing = exchange.trigger(order.id, now=BEGIN)
    exchange.fill(executing.id, now=BEGIN)
    frames = [frame["o"] for frame in pushed(exchange, Wire()) if "o" in frame]
    shown = [(each["i"], each["X"], each["z"][:4], each["ap"] != "0.00000000", each["ti"]) for each in frames]
    end = [(order.id, "FILLED", "0.00", False, 0)] if triggered == "framed" else []
    rests = [(executing.id, "NEW", "0.00", False, order.id)] if kind in PRICED and triggered != "own" else []
    beget = 0 if triggered == "own" else order.id
    assert shown == [*end, *rests, (executing.id, "FILLED", "0.02", True, beget)]
    assert (executing.id == order.id) == (triggered == "own")


def test_the_frame_of_a_triggered_order_bears_no_fee() -> None:
    """The frame of a triggered order has no fee, PnL or trade id."""
    exchange = Exchange(now=BEGIN)
    order = exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, type="STOP_MARKET", stop_price=D(64000))
    exchange.trigger(order.id, now=BEGIN)
    body = pushed(exchange, Wire())[-1]["o"]
    assert (body["n"], body["rp"], body["l"], body["td"], body["q"]) == (
        "0.00000000",
        "0.00000000",
        "0.00000000",
        0,
        "0.02000000",
    )


def test_numbers_and_texts_are_as_captured() -> None:
    """Fields of order and account frames have the JSON types of the captured ones."""
    exchange = Exchange(now=BEGIN)
    exchange.trade("BTC-USDT", "SELL", D("0.001"), now=BEGIN, position_side="SHORT")
    order, account = pushed(exchange, Wire("td"))
    assert {name for name, value in order["o"].items() if type(value) is int} == {"i", "T", "ti", "td"}
    assert order["o"]["ro"] is False
    assert order["o"]["sg"] == "false"
    assert {type(order[name]) for name in ("E", "T")} == {int}
    texts = [*account["a"]["B"][0].values(), *account["a"]["P"][0].values()]
    assert {type(value) for value in texts} == {str}


@pytest.mark.parametrize("name", ["modern", "captured", "td"])
@pytest.mark.parametrize("event", ["ORDER_TRADE_UPDATE", "TRADE_UPDATE", "mixed"])
def test_a_wire_has_one_name_for_orders_unless_they_are_mixed(name: WireName, event: EventName) -> None:
    """A wire names order frames as chosen, or in both ways if mixed, and some trade times are 0."""
    exchange = Exchange(now=BEGIN)
    for _ in range(60):
        exchange.trade("BTC-USDT", "BUY", D("0.001"), now=BEGIN)
    frames = [frame for frame in pushed(exchange, Wire(name, seed=1, event_name=event)) if "o" in frame]
    assert {frame["o"]["T"] for frame in frames} == {0, BEGIN}
    names = {"ORDER_TRADE_UPDATE", "TRADE_UPDATE"} if event == "mixed" else {event}
    assert {frame["e"] for frame in frames} == names


def test_snapshot_and_expiry_and_liquidation() -> None:
    """A SNAPSHOT has `a` or `ac`, an expiry has its key, and a liquidation's execution is CALCULATED."""
    exchange = Exchange(now=BEGIN)
    exchange.trade("BTC-USDT", "BUY", D("0.001"), now=BEGIN)
    account = exchange.account
    frames = Wire().snapshot(
        [account.balance("USDT")], exchange.positions(BEGIN), [config_of(account, "BTC-USDT", BEGIN, BEGIN)], BEGIN
    )
    assert [set(frame) for frame in frames] == [{"e", "E", "a"}, {"e", "E", "ac"}]
    assert len(frames[0]["a"]["P"]) == 1
    assert key_expired("abc", BEGIN) == {"e": "listenKeyExpired", "E": BEGIN, "listenKey": "abc"}
    exchange.due(FOREVER)
    exchange.liquidate("BTC-USDT", "LONG", now=BEGIN)
    forced, _ = pushed(exchange, Wire())
    assert (forced["o"]["x"], forced["o"]["o"]) == ("CALCULATED", "LIQUIDATION")


def test_frames_are_gzip_members() -> None:
    """Pings and frames are gzip members, a bomb inflates to the given size, and garbage cannot be inflated."""
    assert gzip.decompress(PING) == b"Ping"
    assert gzip.decompress(packed({"a": 1})) == b'{"a":1}'
    assert len(bomb(2)) < 10_000
    assert len(gzip.decompress(bomb(2))) == 2 * 1024 * 1024
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(garbage()["not_gzip"])
    with pytest.raises(EOFError):
        gzip.decompress(garbage()["truncated"])


def test_an_unknown_wire_is_refused() -> None:
    """An unknown wire or event name is refused with the allowed ones."""
    with pytest.raises(ValueError, match="modern or captured or td"):
        Wire("other")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ORDER_TRADE_UPDATE or TRADE_UPDATE or mixed"):
        Wire(event_name="other")  # type: ignore[arg-type]
