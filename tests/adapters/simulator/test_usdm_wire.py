"""Frames of Binance's wire have the captured shapes and the right values."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.simulator.binance.family import INSTRUMENTS
from listenkey.adapters.simulator.binance.notices import assets_mode, margin_call
from listenkey.adapters.simulator.binance.readings import readings
from listenkey.adapters.simulator.binance.wire import Wire, event_of
from listenkey.adapters.simulator.binance.words import named
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.interventions import deleverage, prevent
from listenkey.adapters.simulator.margin import Margin
from listenkey.adapters.simulator.terms import Terms
from listenkey.adapters.venues.binance.usdm import UsdmDialect

D = Decimal
NOW = 1_779_367_929_000
ORDER = "s c S o f q p ap sp x X i l z L n N T t b a m R wt ot ps cp rp pP si ss V pm gtd er"
"""The fields of an order frame as captured in 2026-04, in their order."""
POSITION = "s pa ep cr up mt iw ps ma bep"
LITE = "e E T s q p m c S L l t i"
ALGO = "caid aid at o s S ps f q X ai ap aq act tp p V wt pm cp pP R tt gtd rm"


class Listener:
    """An exchange with the frames of its wire."""

    def __init__(self, *, hedge: bool = False, **chosen: str) -> None:
        self.exchange = Exchange(now=NOW, hedge=hedge, instruments=INSTRUMENTS, naming=named)
        self._wire = Wire(self.exchange, readings(chosen), seed=3)

    def frames(self, now: int = NOW + 60_000) -> list[Any]:
        """Return all frames until a time."""
        pushes = self._wire.arranged(self.exchange.due(now))
        found = [frame for push in pushes for frame in self._wire.frames(push)]
        assert all(event_of(each) == json.loads(each)["e"] for each in found)
        return [json.loads(each) for each in found]

    def called(self) -> list[Any]:
        """Return the frames of a margin call."""
        return [json.loads(each) for each in margin_call(self.exchange, Margin(self.exchange), self.exchange.now)]

    def orders(self) -> list[Any]:
        """Return the bodies of the frames of plain orders."""
        return [each["o"] for each in self.frames() if each["e"] == "ORDER_TRADE_UPDATE"]


def test_an_order_has_the_captured_fields() -> None:
    """An order frame has the captured fields in order, amounts as text without trailing zeros, ids as numbers."""
    listener = Listener()
    order = listener.exchange.place(
        "ETHUSDT", "BUY", D("0.020"), now=NOW, type="LIMIT", price=D("3100.50"), client_id="web_Coin"
    )
    (frame,) = listener.frames()
    assert list(frame) == ["e", "T", "E", "o"]
    assert list(frame["o"]) == ORDER.split()
    assert order.id > 2**53
    wanted = {"s": "ETHUSDT", "c": "web_Coin", "q": "0.02", "p": "3100.5", "x": "NEW", "X": "NEW", "i": order.id}
    wanted |= {"l": "0", "z": "0", "n": "0", "N": "USDT", "t": 0, "b": "62.01", "a": "0", "ps": "BOTH", "er": "0"}
    assert wanted.items() <= frame["o"].items()


def test_each_fill_shows_itself() -> None:
    """`L`, `n` and `t` of a frame are of its fill, `z` is of the order so far, and a paid fee is positive."""
    listener = Listener(lite="none")
    first, second = listener.exchange.trade("BTCUSDT", "BUY", D("0.010"), now=NOW, parts=2)
    bodies = listener.orders()
    assert [(each["x"], each["X"]) for each in bodies] == [("TRADE", "PARTIALLY_FILLED"), ("TRADE", "FILLED")]
    assert [each["t"] for each in bodies] == [first.trade_id, second.trade_id]
    assert [each["z"] for each in bodies] == ["0.005", "0.01"]
    assert [D(each["n"]) for each in bodies] == [first.fee, second.fee]
    assert D(bodies[0]["n"]) == D("0.005") * D(bodies[0]["L"]) * D("0.0005") > 0


def test_a_fill_moves_the_account() -> None:
    """A fill's account frame has the balance and the signed position after it, and 0 in `bc`."""
    listener = Listener(hedge=True)
    listener.exchange.trade("BTCUSDT", "SELL", D("0.010"), now=NOW, position_side="SHORT")
    (frame,) = [each for each in listener.frames() if each["e"] == "ACCOUNT_UPDATE"]
    assert list(frame["a"]) == ["B", "P", "m"]
    (balance,), (position,) = frame["a"]["B"], frame["a"]["P"]
    assert list(position) == POSITION.split()
    assert (position["pa"], position["ps"], position["mt"]) == ("-0.01", "SHORT", "cross")
    wallet = listener.exchange.account.book.wallet("USDT").balance
    assert balance == {"a": "USDT", "wb": f"{wallet.normalize()}", "cw": f"{wallet.normalize()}", "bc": "0"}
    assert frame["a"]["m"] == "ORDER"


def test_an_amendment_is_distinguished_from_a_placement() -> None:
    """An amendment's frame has `AMENDMENT`, the new price and quantity, and the status as before."""
    listener = Listener()
    order = listener.exchange.place("BTCUSDT", "BUY", D("0.010"), now=NOW, type="LIMIT", price=D(60000))
    listener.exchange.amend(order.id, D("0.020"), now=NOW + 5, price=D(61000))
    listener.exchange.cancel(order.id, now=NOW + 9)
    bodies = listener.orders()
    assert [(each["x"], each["X"], each["q"], each["p"]) for each in bodies] == [
        ("NEW", "NEW", "0.01", "60000"),
        ("AMENDMENT", "NEW", "0.02", "61000"),
        ("CANCELED", "CANCELED", "0.02", "61000"),
    ]
    assert ("M" in bodies[0], "M" in bodies[1]) == (False, True)
    assert bodies[2]["b"] == "0"


def test_what_nobody_cancelled_has_expired() -> None:
    """The rest of an IOC order is EXPIRED, with the number of its reason."""
    listener = Listener()
    order = listener.exchange.place(
        "BTCUSDT", "BUY", D("0.010"), now=NOW, type="LIMIT", price=D(60000), terms=Terms(time_in_force="IOC")
    )
    listener.exchange.cancel(order.id, now=NOW)
    last = listener.orders()[-1]
    assert (last["f"], last["x"], last["X"], last["er"]) == ("IOC", "EXPIRED", "EXPIRED", "2")


@pytest.mark.parametrize(("forced", "fee"), [("CALCULATED", "shown"), ("TRADE", "missing")])
def test_a_liquidation_is_known_by_its_name(forced: str, fee: str) -> None:
    """A liquidation has a client id with `autoclose-`, its fee or not as the reading says, and no TRADE_LITE."""
    listener = Listener(forced=forced, forced_fee=fee)
    listener.exchange.trade("BTCUSDT", "BUY", D("0.010"), now=NOW)
    fill = listener.exchange.liquidate("BTCUSDT", now=NOW + 20)
    frames = listener.frames()
    body = [each["o"] for each in frames if each["e"] == "ORDER_TRADE_UPDATE"][-1]
    assert body["c"].startswith("autoclose-")
    assert (body["x"], body["X"], body["t"], body["o"], body["f"]) == (forced, "FILLED", fill.trade_id, "LIMIT", "IOC")
    assert ("n" in body, "N" in body) == (fee == "shown",) * 2
    assert not [each for each in frames if each["e"] == "TRADE_LITE" and each["t"] == fill.trade_id]


def decoded(frame: Any) -> Any:
    """Return the one report that the library reads in a frame."""
    (report,) = UsdmDialect().decode(json.dumps(frame))
    return report


@pytest.mark.parametrize("forced", ["CALCULATED", "TRADE"])
def test_a_position_taken_off_for_others_is_known_by_its_name(forced: str) -> None:
    """A deleveraged position has an order named `adl_autoclose`, which the library reads as a forced fill."""
    listener = Listener(hedge=True, forced=forced)
    listener.exchange.trade("BTCUSDT", "SELL", D("0.010"), now=NOW)
    (fill,) = deleverage(listener.exchange, "BTCUSDT", "SHORT", D("0.004"), now=NOW + 20)
    frames = [each for each in listener.frames() if each["e"] == "ORDER_TRADE_UPDATE"][-2:]
    bodies = [each["o"] for each in frames]
    assert all(body["c"].startswith("adl_autoclose") for body in bodies)
    assert [(body["x"], body["X"], body["l"]) for body in bodies] == [("NEW", "NEW", "0"), (forced, "FILLED", "0.004")]
    new, filled = map(decoded, frames)
    assert (new.status, new.liquidation, filled.status, filled.liquidation) == ("NEW", True, "FILLED", True)
    assert (filled.side, filled.position_side, filled.last_qty, filled.last_price) == (
        *("BUY", "SHORT", D("0.004"), fill.price),
    )
    assert (filled.trade_id, filled.fee, filled.realized_pnl) == (str(fill.trade_id), fill.fee, fill.pnl)
    assert listener.exchange.account.position("BTCUSDT", "SHORT").qty == D("-0.006")


@pytest.mark.parametrize(("qty", "executed"), [("0.010", "0.005"), ("0.001", "0")])
def test_an_order_that_would_meet_its_own_expires(qty: str, executed: str) -> None:
    """An order that would match its own is EXPIRED_IN_MATCH with its reason, and the library reads it as expired."""
    listener = Listener()
    expired, came = prevent(listener.exchange, "BTCUSDT", D(qty), D(64000), now=NOW)
    frames = {each["o"]["X"]: each for each in listener.frames() if each["e"] == "ORDER_TRADE_UPDATE"}
    frame = frames["EXPIRED_IN_MATCH"]
    body = frame["o"]
    assert (body["i"], body["x"], body["er"], body["V"], body["l"]) == (expired.id, "EXPIRED", "1", "EXPIRE_MAKER", "0")
    report = decoded(frame)
    assert (report.status, report.cumulative_qty, report.fee) == ("EXPIRED", D(executed), None)
    assert listener.exchange.orders[came.id].open


@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_a_margin_call_names_positions(mode: str) -> None:
    """A margin call has positions with their maintenance margin, and the library delivers it as a known frame only."""
    listener = Listener()
    assert listener.called() == []
    listener.exchange.set_margin_mode("ETHUSDT", mode, now=NOW)
    listener.exchange.trade("ETHUSDT", "SELL", D("0.5"), now=NOW)
    (frame,) = listener.called()
    (row,) = frame["p"]
    assert list(row) == ["s", "ps", "pa", "mt", "iw", "mp", "up", "mm"]
    assert (row["s"], row["ps"], row["pa"]) == ("ETHUSDT", "BOTH", "-0.5")
    assert row["mt"] == {"cross": "CROSSED", "isolated": "ISOLATED"}[mode]
    assert (row["iw"] == "0", "cw" in frame, "T" in frame) == (mode == "cross", mode == "cross", False)
    assert D(row["mm"]) == (D("0.5") * D(row["mp"]) * D("0.004")).quantize(D("1e-8"))
    report = decoded(frame)
    assert (report.known, report.doubtful, report.content) == (True, False, frame)


@pytest.mark.parametrize("on", [True, False])
def test_multi_assets_mode_is_pushed(on: bool) -> None:
    """A change of multi-assets mode is pushed, and the library delivers it as a known frame only."""
    (frame,) = map(json.loads, assets_mode(on, NOW))
    assert frame == {"e": "ACCOUNT_CONFIG_UPDATE", "E": NOW, "T": NOW, "ai": {"j": on}}
    report = decoded(frame)
    assert (report.known, report.doubtful, report.content) == (True, False, frame)


def test_a_trade_is_pushed_lightly_too() -> None:
    """A trade is also pushed as a flat TRADE_LITE with its trade id and amounts padded to the symbol's grids."""
    listener = Listener()
    fill = listener.exchange.trade("ETHUSDT", "BUY", D("0.020"), now=NOW)[0]
    (lite,) = [each for each in listener.frames() if each["e"] == "TRADE_LITE"]
    assert list(lite) == LITE.split()
    assert (lite["q"], lite["l"], lite["p"], lite["L"], lite["t"]) == (
        "0.020",
        "0.020",
        "0.00",
        f"{fill.price:.2f}",
        fill.trade_id,
    )


@pytest.mark.parametrize(
    ("types", "first"), [("orders_first", "ORDER_TRADE_UPDATE"), ("account_first", "ACCOUNT_UPDATE")]
)
def test_types_of_one_moment_have_no_order_of_their_own(types: str, first: str) -> None:
    """Order and account frames of one time come in either order or a mixed one; those of one type keep their order."""
    listener = Listener(types=types, lite="none")
    listener.exchange.trade("BTCUSDT", "BUY", D("0.010"), now=NOW, parts=2)
    assert [each["e"] for each in listener.frames()][:2] == [first] * 2
    mixed = Listener(lite="none")
    for number in range(20):
        mixed.exchange.trade("BTCUSDT", "BUY", D("0.010"), now=NOW + number)
    frames = mixed.frames()
    assert {each["e"] for each in frames[::2]} == {"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"}
    for kind in ("ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"):
        times = [each["T"] for each in frames if each["e"] == kind]
        assert times == sorted(times)


@pytest.mark.parametrize(("symbol", "listed"), [("named", "empty"), ("missing", "missing")])
def test_funding_in_cross_margin_names_no_position(symbol: str, listed: str) -> None:
    """Funding in cross margin has the balance with the fee in `bc`, no position, and the symbol in `S` or nowhere."""
    listener = Listener(funding_symbol=symbol, funding_list=listed)
    listener.exchange.trade("BTCUSDT", "BUY", D("0.010"), now=NOW)
    listener.frames()
    amount = listener.exchange.fund("BTCUSDT", D("0.0001"), now=NOW + 61_000)
    (frame,) = listener.frames(NOW + 120_000)
    account = frame["a"]
    assert amount < 0
    assert D(account["B"][0]["bc"]) == amount
    assert account.get("P", "missing") == ([] if listed == "empty" else "missing")
    assert account.get("S") == ("BTCUSDT" if symbol == "named" else None)
    assert account["m"] == "FUNDING_FEE"


@pytest.mark.parametrize(("special", "reason"), [("FUNDING_FEE", "FUNDING_FEE"), ("own", "SPECIAL_FUNDING_FEE")])
def test_a_special_funding_fee_is_funding_too(special: str, reason: str) -> None:
    """A special funding fee has an income type of its own, and its push a reason as the reading says."""
    listener = Listener(special_funding=special)
    listener.exchange.trade("BTCUSDT", "BUY", D("0.010"), now=NOW)
    listener.frames()
    listener.exchange.fund("BTCUSDT", D("0.0001"), now=NOW + 61_000, kind="SPECIAL_FUNDING_FEE")
    (frame,) = listener.frames(NOW + 120_000)
    assert (frame["a"]["m"], frame["a"]["S"]) == (reason, "BTCUSDT")
    assert listener.exchange.account.book.income[-1].type == "SPECIAL_FUNDING_FEE"


def test_funding_of_an_isolated_position_shows_it() -> None:
    """Funding of an isolated position has it and the balance, whose cross wallet excludes the position's wallet."""
    listener = Listener()
    listener.exchange.set_margin_mode("BTCUSDT", "isolated", now=NOW)
    listener.exchange.trade("BTCUSDT", "BUY", D("0.010"), now=NOW)
    assert [each["e"] for each in listener.frames()].count("ACCOUNT_CONFIG_UPDATE") == 0
    listener.exchange.fund("BTCUSDT", D("0.0001"), now=NOW + 61_000)
    account = listener.frames(NOW + 120_000)[0]["a"]
    (position,), (balance,) = account["P"], account["B"]
    assert (position["s"], position["mt"]) == ("BTCUSDT", "isolated")
    assert D(balance["wb"]) - D(balance["cw"]) == D(position["iw"]) > 0


def test_money_and_leverage() -> None:
    """A transfer is pushed without positions, and a changed leverage is pushed as one number."""
    listener = Listener()
    listener.exchange.transfer("USDT", D(-10), now=NOW)
    listener.exchange.set_leverage("BTCUSDT", 25, 25, now=NOW)
    listener.exchange.set_margin_mode("BTCUSDT", "isolated", now=NOW)
    config, account = sorted(listener.frames(), key=lambda each: str(each["e"] == "ACCOUNT_UPDATE"))
    assert config["ac"] == {"s": "BTCUSDT", "l": 25}
    assert account["a"]["m"] == "WITHDRAW"
    assert account["a"]["B"][0]["bc"] == "-10"
    assert account["a"]["P"] == []


@pytest.mark.parametrize(
    ("side", "stop", "model", "kind"),
    [
        ("BUY", 65000, "TRIGGER_MARKET", "STOP_MARKET"),
        ("SELL", 65000, "TRIGGER_MARKET", "TAKE_PROFIT_MARKET"),
        ("BUY", 63000, "TRIGGER_LIMIT", "TAKE_PROFIT"),
        ("SELL", 63000, "TRIGGER_LIMIT", "STOP"),
    ],
)
def test_a_conditional_order_lives_with_the_algo_service(side: str, stop: int, model: str, kind: str) -> None:
    """A conditional order is NEW, TRIGGERED with the executing order's id, and FINISHED after that order's end."""
    listener = Listener(lite="none")
    order = listener.exchange.place(
        "BTCUSDT", side, D("0.010"), now=NOW, type=model, price=D(64000), stop_price=D(stop), client_id="Algo"
    )
    born = listener.exchange.trigger(order.id, now=NOW + 1000)
    listener.exchange.fill(born.id, now=NOW + 2000)
    frames = listener.frames()
    algo = [each["o"] for each in frames if each["e"] == "ALGO_UPDATE"]
    assert [each["X"] for each in algo] == ["NEW", "TRIGGERED", "FINISHED"]
    assert {each["o"] for each in algo} == {kind}
    assert [each["ai"] for each in algo] == ["", str(born.id), str(born.id)]
    assert list(algo[2]) == ALGO.split()
    assert "aq" not in algo[0]
    assert (algo[2]["aq"], algo[2]["caid"], algo[2]["aid"]) == ("0.01", "Algo", order.id)
    plain = [each["o"] for each in frames if each["e"] == "ORDER_TRADE_UPDATE"]
    assert {(each["i"], each["ot"], each["sp"]) for each in plain} == {(born.id, kind, str(stop))}
    assert plain[-1]["X"] == "FILLED"


def test_a_conditional_order_can_be_called_off() -> None:
    """A cancelled conditional order is CANCELED, without the id of an executing order."""
    listener = Listener()
    order = listener.exchange.place(
        "BTCUSDT",
        "BUY",
        D("0.010"),
        now=NOW,
        type="TRAILING_STOP_MARKET",
        terms=Terms(rate=D("0.05"), activation=D(65000)),
    )
    listener.exchange.cancel(order.id, now=NOW)
    first, last = listener.frames()
    assert (first["o"]["AP"], first["o"]["cr"]) == ("65000", "5")
    assert (last["o"]["X"], last["o"]["ai"]) == ("CANCELED", "")


@pytest.mark.parametrize(
    ("expiry", "frames"),
    [
        ("keyed", [{"e": "listenKeyExpired", "E": 5, "listenKey": "k"}]),
        ("bare", [{"e": "listenKeyExpired", "E": 5}]),
        ("twice", [{"e": "listenKeyExpired", "E": 5, "listenKey": "k"}] * 2),
        ("never", []),
    ],
)
def test_an_expiry(expiry: str, frames: list[Any]) -> None:
    """An expiry is pushed with or without the key, twice, or never, as the reading says."""
    exchange = Exchange(now=NOW, instruments=INSTRUMENTS)
    found = Wire(exchange, readings({"expiry": expiry})).expiry("k", 5)
    assert [json.loads(each) for each in found] == frames
