"""Frames as the venue writes them: JSON text whose first field is the event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec

from ..account import BalanceView, PositionView
from ..amounts import ZERO, booked, plain
from ..exchange import Exchange
from ..orders import Order
from ..pushes import AccountPush, ConfigPush, OrderPush, Push
from ..seeds import seeded
from . import words
from .algorows import algo_frame
from .readings import Readings

Frame = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_BEGIN = len(b'{"e":"')


def event_of(frame: bytes) -> str:
    """The name of a frame's event, read from its beginning."""
    return frame[_BEGIN : frame.find(b'"', _BEGIN)].decode("ascii", "replace")


class Wire:
    """Turns pushes into frames; where the order of the real wire varies, the seed decides."""

    def __init__(self, exchange: Exchange, readings: Readings, *, seed: int = 0) -> None:
        self._exchange = exchange
        self._readings = readings
        self._random = seeded(seed, "wire")
        self._known: set[int] = set()
        self._leverage = {symbol: long for symbol, (long, _) in exchange.account.leverage.items()}
        self._counted = 0
        self._gained: dict[tuple[str, str], Decimal] = {}

    def arranged(self, leaving: Sequence[Push]) -> Iterable[Push]:
        """The pushes in the wire's order, which is kept within a type; a configuration without news is left out."""
        arranged: list[Push] = []
        for _, together in groupby(leaving, key=lambda push: push.ts):
            moment = [push for push in together if not isinstance(push, ConfigPush) or self._is_news(push)]
            orders = [push for push in moment if isinstance(push, OrderPush)]
            others = [push for push in moment if not isinstance(push, OrderPush)]
            first = self._readings.types == "orders_first"
            if self._readings.types == "mixed":
                first = self._random.random() < 0.5
            arranged += [*orders, *others] if first else [*others, *orders]
        return arranged

    def frames(self, push: Push) -> list[bytes]:
        """The frame of a push, and then those that go with it."""
        match push:
            case OrderPush():
                return [_encode(each) for each in self._of_order(push)]
            case AccountPush():
                return [_encode(self._account(push))]
            case ConfigPush():
                content = {"s": push.symbol, "l": push.long_leverage}
                return [_encode({"e": "ACCOUNT_CONFIG_UPDATE", "E": push.due, "T": push.ts, "ac": content})]

    def expiry(self, key: str, now: int) -> list[bytes]:
        """The frames of a key's end: none, one or two, by the reading `expiry`."""
        frame: Frame = {"e": "listenKeyExpired", "E": now}
        if self._readings.expiry != "bare":
            frame["listenKey"] = key
        return [_encode(frame)] * {"never": 0, "twice": 2}.get(self._readings.expiry, 1)

    def _is_news(self, push: ConfigPush) -> bool:
        """True if the leverage has changed; a new margin mode alone is not pushed."""
        before, self._leverage[push.symbol] = self._leverage[push.symbol], push.long_leverage
        return before != push.long_leverage

    def _of_order(self, push: OrderPush) -> Iterable[Frame]:
        order = push.order
        if words.is_algo(order):
            yield algo_frame(order, self._born(order), push.ts, push.due, triggering=order.triggered)
            return
        yield self._order(push)
        if push.fill is not None and order.type != "LIQUIDATION" and self._readings.lite == "sent":
            yield self._lite(push)
        if order.triggered_by and not order.open:
            yield algo_frame(self._exchange.orders[order.triggered_by], order, push.ts, push.due)

    def _order(self, push: OrderPush) -> Frame:
        order, fill = push.order, push.fill
        forced = order.type == "LIQUIDATION"
        open_worth = plain(booked(order.remaining * (order.price or ZERO))) if order.open else "0"
        cause = self._exchange.orders.get(order.triggered_by)
        body: Frame = {
            "s": order.symbol,
            "c": words.client_id(order),
            "S": order.side,
            "o": words.kind(order),
            "f": words.time_in_force(order),
            "q": plain(order.qty),
            "p": words.price(order),
            "ap": plain(order.average),
            "sp": plain((cause.stop_price if cause else None) or ZERO),
            "x": self._execution(push),
            "X": words.status(order),
            "i": order.id,
            "l": plain(fill.qty if fill else ZERO),
            "z": plain(order.executed),
            "L": plain(fill.price if fill else ZERO),
            "n": plain(fill.fee if fill else ZERO),
            "N": fill.asset if fill else order.asset,
            "T": push.ts,
            "t": fill.trade_id if fill else 0,
            "b": open_worth if order.side == "BUY" else "0",
            "a": open_worth if order.side == "SELL" else "0",
            "m": fill.maker if fill else False,
            "R": order.reduce_only,
            "wt": "CONTRACT_PRICE" if cause is None else words.WORKING[cause.terms.working],
            "ot": words.kind(order if cause is None else cause),
            "ps": order.position_side,
            "cp": cause is not None and cause.terms.closes,
            "rp": plain(fill.pnl if fill else ZERO),
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": "EXPIRE_MAKER",
            "pm": "NONE",
            "gtd": 0,
            "er": words.expiry(order),
        }
        if body["x"] == "AMENDMENT":
            body["M"] = str(order.updated)
        if forced and self._readings.forced_fee == "missing":
            del body["n"], body["N"]
        return {"e": "ORDER_TRADE_UPDATE", "T": push.ts, "E": push.due, "o": body}

    def _execution(self, push: OrderPush) -> str:
        order = push.order
        if push.fill is not None:
            return self._readings.forced if order.type == "LIQUIDATION" else "TRADE"
        if push.execution != "NEW":
            return "EXPIRED" if words.status(order) == words.IN_MATCH else words.status(order)
        again = order.id in self._known or order.updated != order.created
        self._known.add(order.id)
        return "AMENDMENT" if again else "NEW"

    def _lite(self, push: OrderPush) -> Frame:
        order, fill = push.order, push.fill
        assert fill is not None
        step, tick = self._grid(order)
        return {
            "e": "TRADE_LITE",
            "E": push.due,
            "T": push.ts,
            "s": order.symbol,
            "q": str(order.qty.quantize(step)),
            "p": str((order.price or ZERO).quantize(tick)),
            "m": fill.maker,
            "c": words.client_id(order),
            "S": order.side,
            "L": str(fill.price.quantize(tick)),
            "l": str(fill.qty.quantize(step)),
            "t": fill.trade_id,
            "i": order.id,
        }

    def _account(self, push: AccountPush) -> Frame:
        changed = push.positions
        account: Frame = {"B": [self._balance(each) for each in push.balances]}
        if changed is not None or self._readings.funding_list == "empty":
            account["P"] = [self._position(each) for each in changed or ()]
        is_funding = push.reason.endswith("FUNDING_FEE")
        account["m"] = "FUNDING_FEE" if is_funding and self._readings.special_funding != "own" else push.reason
        if is_funding and self._readings.funding_symbol == "named":
            rows = reversed(self._exchange.account.book.income)
            account["S"] = next(each.symbol for each in rows if each.type == push.reason and each.ts == push.ts)
        return {"e": "ACCOUNT_UPDATE", "T": push.ts, "E": push.due, "a": account}

    def _balance(self, view: BalanceView) -> Frame:
        account, instruments = self._exchange.account, self._exchange.market.instruments
        own = (
            each.margin(account.leverage_of(each.symbol, each.qty))
            for each in account.positions()
            if words.is_isolated(account.margin_mode[each.symbol]) and instruments[each.symbol].asset == view.asset
        )
        cross = plain(view.wallet - sum(own, ZERO))
        return {"a": view.asset, "wb": plain(view.wallet), "cw": cross, "bc": plain(view.change)}

    def _position(self, view: PositionView) -> Frame:
        return {
            "s": view.symbol,
            "pa": plain(view.qty),
            "ep": plain(view.entry),
            "cr": plain(self._realised(view)),
            "up": plain(view.unrealised),
            "mt": view.margin_mode,
            "iw": plain(view.margin) if words.is_isolated(view.margin_mode) else "0",
            "ps": view.side,
            "ma": view.asset,
            "bep": plain(break_even(view)),
        }

    def _realised(self, view: PositionView) -> Decimal:
        """The PnL that all positions of this symbol and side have ever realised, without fees."""
        fills = self._exchange.fills
        for fill in fills[self._counted :]:
            at = fill.symbol, fill.position_side
            self._gained[at] = self._gained.get(at, ZERO) + fill.pnl
        self._counted = len(fills)
        return self._gained.get((view.symbol, view.side), ZERO)

    def _born(self, order: Order) -> Order | None:
        """The newest order that this conditional one has made."""
        made = (each for each in reversed(self._exchange.orders.values()) if each.triggered_by == order.id)
        return next(made, None) if order.triggered else None

    def _grid(self, order: Order) -> tuple[Decimal, Decimal]:
        instrument = self._exchange.market.instruments[order.symbol]
        return instrument.step, instrument.tick


def break_even(view: PositionView) -> Decimal:
    """The price at which closing leaves no profit or loss, with PnL and fees since the position was flat."""
    return booked(view.entry - view.realised / view.qty) if view.qty else ZERO
