"""The endpoints with which a bot trades: it places, changes and cancels orders, and changes settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from ..desk import Desk
from ..orders import OrderRefused
from ..ticket import Ticket
from . import words
from .errors import UNKNOWN_ORDER, Refusal, invalid, missing, not_modelled, translated
from .forms import ALGO_NAMES, NAMES, Forms
from .records import Records
from .routes import Params, Route, Sight, flag, required, whole
from .rows import Row

PLACED, TESTED = "POST /fapi/v1/order", "POST /fapi/v1/order/test"
BATCH, CANCELS = 5, 10
"""The most orders that may be placed, and cancelled, in one call."""
MODES = {"CROSSED": "cross", "ISOLATED": "isolated"}
ONE = ("symbol", "orderId", "origClientOrderId")
IDS, CLIENT_IDS = ("orderIdList", "orderidlist"), ("origClientOrderIdList", "origclientorderidlist")
"""The names of the lists, as documented and as some clients write them."""
AMENDED = (*ONE, "side", "quantity", "price", "priceMatch")


class Trading:
    """Carries out calls on a desk. Raises `Refusal`, also for a feature that is not modelled."""

    def __init__(self, desk: Desk, records: Records) -> None:
        self._desk = desk
        self._exchange = desk.exchange
        self._records = records
        self._forms = Forms(desk.exchange)
        self.routes = {
            PLACED: Route(self._place, NAMES, 0, orders=1),
            TESTED: Route(self._test, NAMES, 0),
            "PUT /fapi/v1/order": Route(self._amend, AMENDED, 1, orders=1),
            "DELETE /fapi/v1/order": Route(self._cancel, ONE, 1),
            "POST /fapi/v1/batchOrders": Route(self._each(NAMES, self._place), ("batchOrders",), 5, orders=BATCH),
            "PUT /fapi/v1/batchOrders": Route(self._each(AMENDED, self._amend), ("batchOrders",), 5, orders=BATCH),
            "DELETE /fapi/v1/batchOrders": Route(self._cancel_these, ("symbol", *IDS, *CLIENT_IDS), 1),
            "DELETE /fapi/v1/allOpenOrders": Route(self._cancel_all, ("symbol",), 1),
            "POST /fapi/v1/algoOrder": Route(self._place_algo, ALGO_NAMES, 0, orders=1),
            "DELETE /fapi/v1/algoOrder": Route(self._cancel_algo, ("symbol", "algoId", "clientAlgoId"), 1),
            "DELETE /fapi/v1/algoOpenOrders": Route(self._cancel_all_algo, ("symbol",), 1),
            "POST /fapi/v1/leverage": Route(self._set_leverage, ("symbol", "leverage"), 1),
            "POST /fapi/v1/marginType": Route(self._set_margin_mode, ("symbol", "marginType"), 1),
            "POST /fapi/v1/positionSide/dual": Route(self._set_position_mode, ("dualSidePosition",), 1),
        }

    def _place(self, params: Params, now: int, sight: Sight) -> Row:
        """Place an order; the answer `ACK` shows it as new, `RESULT` after the fills at once."""
        response = params.get("newOrderRespType") or "ACK"
        if response not in {"ACK", "RESULT"}:
            raise invalid("newOrderRespType")
        placed = self._desk.place(self._named(self._forms.plain(params, now)), now=now)
        row = self._records.row(placed, full=False)
        if response == "ACK":
            row |= {"status": "NEW", "avgPrice": "0.00", "executedQty": "0", "cumQty": "0", "cumQuote": "0"}
        return row

    def _test(self, params: Params, now: int, sight: Sight) -> Row:
        self._desk.check(self._named(self._forms.plain(params, now)), now=now)
        return {}

    def _place_algo(self, params: Params, now: int, sight: Sight) -> Row:
        return self._records.row(self._desk.place(self._named(self._forms.algo(params, now)), now=now))

    def _named(self, ticket: Ticket) -> Ticket:
        """Return the ticket. Raises `Refusal` if another open order has its client order id."""
        other = self._exchange.by_client_id.get(ticket.client_id, 0)
        if ticket.client_id and other in self._exchange.open:
            raise Refusal(-4116, "ClientOrderId is duplicated.")
        return ticket

    def _amend(self, params: Params, now: int, sight: Sight) -> Row:
        order = self._records.found(params)
        if params.get("priceMatch", "") not in {"", "NONE"}:
            raise not_modelled("priceMatch")
        if required(params, "side") != order.side:
            raise invalid("side")
        if order.type != "LIMIT":
            raise Refusal(-4137, "Only limit order is supported.")
        try:
            qty, price = Decimal(required(params, "quantity")), Decimal(required(params, "price"))
        except InvalidOperation:
            raise missing("quantity") from None
        if (qty, price) == (order.qty, order.price):
            raise Refusal(-5027, "No need to modify the order.")
        return self._records.row(self._desk.amend(order.id, qty, now=now, price=price), full=False)

    def _cancel(self, params: Params, now: int, sight: Sight) -> Row:
        order = self._records.found(params, UNKNOWN_ORDER)
        return self._records.row(self._desk.cancel(order.id, now=now), full=False)

    def _cancel_algo(self, params: Params, now: int, sight: Sight) -> Row:
        order = self._desk.cancel(self._records.found(params, UNKNOWN_ORDER, algo=True).id, now=now)
        return {"algoId": order.id, "clientAlgoId": order.client_id, "code": "200", "msg": "success"}

    def _cancel_all(self, params: Params, now: int, sight: Sight) -> Row:
        self._end_all(params, now, algo=False)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def _cancel_all_algo(self, params: Params, now: int, sight: Sight) -> Row:
        self._end_all(params, now, algo=True)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def _end_all(self, params: Params, now: int, *, algo: bool) -> None:
        required(params, "symbol")
        symbol = self._records.symbol(params)
        for order in list(self._exchange.open.values()):
            if order.symbol == symbol and words.is_algo(order) is algo:
                self._desk.cancel(order.id, now=now)

    def _cancel_these(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol = required(params, "symbol")
        by_id = next((name for name in IDS if params.get(name)), None)
        by_name = next((name for name in CLIENT_IDS if params.get(name)), CLIENT_IDS[0])
        listed = _listed(params, by_id or by_name, CANCELS)
        name = "orderId" if by_id else "origClientOrderId"
        return [self._tried(self._cancel, {"symbol": symbol, name: str(each)}, now) for each in listed]

    def _each(
        self, names: Iterable[str], do: Callable[[Params, int, Sight], Row]
    ) -> Callable[[Params, int, Sight], list[Row]]:
        """Make the answer for a list of orders, each of which may be refused alone."""
        alone = Route(do, tuple(names))

        def answer(params: Params, now: int, sight: Sight) -> list[Row]:
            found = []
            for fields in _listed(params, "batchOrders", BATCH):
                if not isinstance(fields, dict):
                    raise invalid("batchOrders")
                written = {key: each if isinstance(each, str) else json.dumps(each) for key, each in fields.items()}
                found.append(self._tried(alone.__call__, written, now))
            return found

        return answer

    @staticmethod
    def _tried(do: Callable[[Params, int, Sight], Any], params: Params, now: int) -> Any:
        try:
            return do(params, now, Sight())
        except OrderRefused as refused:
            refusal = translated(refused)
        except Refusal as refused:
            refusal = refused
        return {"code": refusal.code, "msg": refusal.message}

    def _set_leverage(self, params: Params, now: int, sight: Sight) -> Row:
        """Set one leverage for both sides."""
        required(params, "symbol")
        symbol, leverage = self._records.symbol(params), whole(params, "leverage")
        if leverage is None or symbol is None:
            raise missing("leverage")
        for side in ("LONG", "SHORT") if self._exchange.hedge else ("BOTH",):
            self._desk.set_leverage(symbol, side, leverage, now=now)
        return {"symbol": symbol, "leverage": leverage, "maxNotionalValue": "100000000"}

    def _set_margin_mode(self, params: Params, now: int, sight: Sight) -> Row:
        symbol, said = self._records.symbol(params), required(params, "marginType")
        if said not in MODES:
            raise invalid("marginType")
        if symbol is None:
            raise missing("symbol")
        if self._exchange.account.margin_mode[symbol] == MODES[said]:
            raise Refusal(-4046, "No need to change margin type.")
        if any(each.symbol == symbol for each in self._exchange.open.values()):
            raise Refusal(-4047, "Margin type cannot be changed if there exists open orders.")
        if any(each.symbol == symbol for each in self._exchange.account.positions()):
            raise Refusal(-4048, "Margin type cannot be changed if there exists position.")
        self._desk.set_margin_mode(symbol, MODES[said], now=now)
        return {"code": 200, "msg": "success"}

    def _set_position_mode(self, params: Params, now: int, sight: Sight) -> Row:
        required(params, "dualSidePosition")
        hedge = flag(params, "dualSidePosition")
        if hedge == self._exchange.hedge:
            raise Refusal(-4059, "No need to change position side.")
        if self._exchange.open:
            raise Refusal(-4067, "Position side cannot be changed if there exists open orders.")
        self._desk.set_position_mode(hedge)
        return {"code": 200, "msg": "success"}


def _listed(params: Params, name: str, most: int) -> list[Any]:
    """Read a parameter that is a JSON list of 1 to `most` entries. Raises `Refusal` otherwise."""
    try:
        found = json.loads(required(params, name), parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not 0 < len(found) <= most:
        raise invalid(name)
    return found
