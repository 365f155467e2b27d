"""The simulator's own endpoints, for test authors: the truth, faults, and every move on the exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from .orders import Fill, Order, OrderRefused
from .truth import fill_truth, order_truth
from .venue import Venue

Body = dict[str, Any]


class _Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: str = "BTC-USDT"
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
    long: int = 5
    short: int = 5
    mode: str = "cross"


class Control:
    """Endpoints under `/simulator/`; what is not understood is answered with 400 and a line that says why."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._moves: dict[str, Callable[[_Move, int], Any]] = {
            "trade": self._trade,
            "place": self._place,
            "fill": self._fill,
            "cancel": lambda move, now: self._exchange.cancel(int(move.order_id), now=now),
            "expire": lambda move, now: self._exchange.expire(int(move.order_id), now=now),
            "trigger": lambda move, now: self._exchange.trigger(int(move.order_id), now=now),
            "amend": lambda move, now: self._exchange.amend(int(move.order_id), move.qty or Decimal(0), now=now),
            "liquidate": lambda move, now: self._exchange.liquidate(move.symbol, move.position_side, now=now),
            "funding": lambda move, now: self._exchange.fund(move.symbol, move.rate, now=now),
            "transfer": lambda move, now: self._exchange.transfer(move.asset, move.amount, now=now),
            "leverage": lambda move, now: self._exchange.set_leverage(move.symbol, move.long, move.short, now=now),
            "margin": lambda move, now: self._exchange.set_margin_mode(move.symbol, move.mode, now=now),
        }
        self._exchange = venue.exchange

    def add_to(self, app: web.Application) -> None:
        """Register the endpoints."""
        app.router.add_get("/simulator/truth", self._truth)
        app.router.add_post("/simulator/fault", self._told(self._fault))
        app.router.add_post("/simulator/quiet", self._told(self._quiet))
        for name, move in self._moves.items():
            app.router.add_post(f"/simulator/{name}", self._told(self._moving(move)))

    async def _truth(self, request: web.Request) -> web.Response:
        return _json(self._venue.truth())

    def _told(self, act: Callable[[Body], Any]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                body = msgspec.json.decode(await request.read() or b"{}")
                if not isinstance(body, dict):
                    raise ValueError("the body is a JSON object")
                return _json(act(body))
            except OrderRefused as refused:
                return _json({"error": refused.message, "code": refused.code}, 400)
            except (ValueError, TypeError, msgspec.MsgspecError) as error:
                return _json({"error": str(error)}, 400)

        return handle

    def _fault(self, body: Body) -> Body:
        """`name`, and optionally `after`, `seconds`, `count`, `clear` and the fault's own parameters."""
        name = body.pop("name", None)
        if not isinstance(name, str):
            raise ValueError("a fault has a name")
        if body.pop("clear", False):
            self._venue.faults.clear(name)
            return {"cleared": name}
        fault = self._venue.fault(name, **body)
        return {"name": fault.name, "at": fault.at, "seconds": fault.seconds}

    def _quiet(self, body: Body) -> Body:
        self._venue.quiet(body.get("on", True))
        return {"quiet": self._venue.flow.quiet, "fills": len(self._exchange.fills)}

    def _moving(self, move: Callable[[_Move, int], Any]) -> Callable[[Body], Any]:
        def act(body: Body) -> Any:
            self._venue.step()
            done = move(msgspec.convert(body, _Move, strict=False), self._venue.now())
            self._venue.step()
            return self._plain(done)

        return act

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


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")
