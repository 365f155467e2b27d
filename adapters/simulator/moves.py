"""The moves that a test makes on the simulated exchange, by name, with plain values in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from .interventions import deleverage, prevent
from .orders import Fill, Order
from .truth import fill_truth, order_truth
from .venue import Venue

SYMBOL = "BTC-USDT"
"""The symbol of a move that names none; if it is not listed, the first listed one is taken."""


class _Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: str = ""
    side: str = "BUY"
    qty: Decimal | None = None
    position_side: str | None = None
    type: str = "MARKET"
    price: Decimal | None = None
    stop_price: Decimal | None = None
    client_order_id: str = ""
    reduce_only: bool = False
    parts: int = 1
    order_id: str = "0"
    asset: str = "USDT"
    amount: Decimal = Decimal(0)
    rate: Decimal = Decimal("0.0001")
    kind: str = ""
    long: int = 5
    short: int = 5
    mode: str = "cross"


class Moves:
    """Makes moves, each at once with all its effects. Raises `OrderRefused`, and `ValueError` for wrong details."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._exchange = venue.exchange
        listed = venue.exchange.market.instruments
        self._symbol = SYMBOL if SYMBOL in listed else next(iter(listed), SYMBOL)
        self._moves: dict[str, Callable[[_Move, int], Any]] = {
            "trade": self._trade,
            "place": self._place,
            "fill": self._fill,
            "cancel": lambda move, now: self._exchange.cancel(int(move.order_id), now=now),
            "expire": lambda move, now: self._exchange.expire(int(move.order_id), now=now),
            "trigger": lambda move, now: self._exchange.trigger(int(move.order_id), now=now),
            "amend": lambda move, now: self._exchange.amend(int(move.order_id), move.qty or Decimal(0), now=now),
            "liquidate": self._liquidate,
            "funding": lambda move, now: self._exchange.fund(
                move.symbol, move.rate, now=now, kind=move.kind or "FUNDING_FEE"
            ),
            "transfer": lambda move, now: self._exchange.transfer(
                move.asset, move.amount, now=now, kind=move.kind or "TRANSFER"
            ),
            "leverage": lambda move, now: self._exchange.set_leverage(move.symbol, move.long, move.short, now=now),
            "margin": lambda move, now: self._exchange.set_margin_mode(move.symbol, move.mode, now=now),
            "cross": self._cross,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all moves."""
        return tuple(self._moves)

    def make(self, name: str, details: Mapping[str, Any]) -> Any:
        """Make a move; return fills and orders as in `truth`, an amount as `{"amount": ...}`, else an empty object."""
        move = msgspec.convert({"symbol": self._symbol, **details}, _Move, strict=False)
        self._venue.step()
        done = self._moves[name](move, self._venue.now())
        self._venue.step()
        return self._plain(done)

    def _trade(self, move: _Move, now: int) -> list[Fill]:
        return self._exchange.trade(
            move.symbol,
            move.side,
            self._qty(move),
            now=now,
            parts=move.parts,
            position_side=move.position_side,
            client_id=move.client_order_id,
        )

    def _liquidate(self, move: _Move, now: int) -> Fill | list[Fill]:
        """Liquidate a whole position, or with kind `ADL` deleverage `qty` of it."""
        if move.kind not in {"", "ADL"}:
            raise ValueError(f"kind is ADL or nothing, not {move.kind!r}")
        if move.kind:
            return deleverage(self._exchange, move.symbol, move.position_side, move.qty, now=now)
        return self._exchange.liquidate(move.symbol, move.position_side, now=now)

    def _cross(self, move: _Move, now: int) -> list[Fill] | list[Order]:
        """Let the account trade with itself: two fills with one trade id; or with kind `prevented` none."""
        price, sides = move.price or self._exchange.market.price(move.symbol, now), {"BUY": "LONG", "SELL": "SHORT"}
        if move.kind not in {"", "prevented"}:
            raise ValueError(f"kind is prevented or nothing, not {move.kind!r}")
        if move.kind:
            return prevent(self._exchange, move.symbol, self._qty(move), price, now=now)
        fills: list[Fill] = []
        for side, of in sides.items():
            order = self._exchange.place(
                move.symbol,
                side,
                self._qty(move),
                now=now,
                type="LIMIT",
                position_side=of if self._exchange.hedge else None,
                price=price,
            )
            fills.append(self._exchange.fill(order.id, now=now, maker=not fills, against=fills[0] if fills else None))
        return fills

    def _place(self, move: _Move, now: int) -> Order:
        return self._exchange.place(
            move.symbol,
            move.side,
            self._qty(move),
            now=now,
            type=move.type,
            position_side=move.position_side,
            price=move.price,
            stop_price=move.stop_price,
            client_id=move.client_order_id,
            reduce_only=move.reduce_only,
        )

    def _fill(self, move: _Move, now: int) -> Fill:
        return self._exchange.fill(int(move.order_id), move.qty, now=now, price=move.price)

    def _qty(self, move: _Move) -> Decimal:
        instrument = self._exchange.market.instruments.get(move.symbol)
        return move.qty or (instrument.step * 10 if instrument else Decimal(1))

    def _plain(self, done: Any) -> Any:
        match done:
            case Fill():
                return fill_truth(done, self._exchange.orders[done.order_id])
            case Order():
                return order_truth(done)
            case list():
                return [self._plain(each) for each in done]
            case Decimal():
                return {"amount": str(done)}
        return {}
