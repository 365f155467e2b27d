"""A bot's own orders on the simulated venue: placed and cancelled by REST, filled when the market's price says so."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from .amounts import ZERO, plain
from .exchange import Exchange
from .orders import PRICED, TRIGGERS, Order, OrderRefused
from .queries import Params, order_of, required
from .rows import Row, order_row, order_status
from .rules import INVALID

ORDER_PATH = "/openApi/swap/v2/trade/order"
PLACED = frozenset({"MARKET", "LIMIT"}) | TRIGGERS
NOT_MODELLED = ("TRAILING_STOP_MARKET", "TRAILING_TP_SL")
"""Types that the venue knows and the simulator does not."""
DEMANDS = (
    *("stopLoss", "takeProfit", "closePosition", "quoteOrderQty", "stopGuaranteed", "priceRate", "activationPrice"),
    *("positionId", "positionID"),
)
"""Parameters that ask for what the simulator does not do."""
WORKING_TYPES = ("MARK_PRICE", "CONTRACT_PRICE", "INDEX_PRICE")
"""There is one price, so each of them is the same."""
TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "PostOnly")


class Trading:
    """Market orders are filled at once, limit orders at their own price; what a conditional order becomes, likewise."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._resting: dict[int, bool] = {}

    def match(self, now: int) -> None:
        """Fill the bot's orders that the market has reached."""
        for order_id, from_above in list(self._resting.items()):
            order = self._exchange.orders[order_id]
            market = self._exchange.market.price(order.symbol, now)
            level = (order.price if order.triggered or order.stop_price is None else order.stop_price) or market
            if not order.open:
                del self._resting[order_id]
            elif (market <= level) if from_above else (market >= level):
                del self._resting[order_id]
                with contextlib.suppress(OrderRefused):
                    self._reached(order, now)

    def _reached(self, order: Order, now: int) -> None:
        if order.type in TRIGGERS and not order.triggered:
            order = self._exchange.trigger(order.id, now=now)
            if order.type in PRICED:
                self._resting[order.id] = order.side == "BUY"
                return
        self._exchange.fill(order.id, now=now)

    def knows(self, method: str, path: str) -> bool:
        """Whether this call trades."""
        return path == ORDER_PATH and method in {"POST", "DELETE"}

    def answer(self, method: str, path: str, params: Params, now: int) -> Row:
        """The whole body. Raises `OrderRefused`, also for what is not modelled: nothing is accepted and ignored."""
        row = self._placed(params, now) if method == "POST" else self._cancelled(params, now)
        return {"code": 0, "msg": "", "data": {"order": row}}

    def _placed(self, params: Params, now: int) -> Row:
        working_type = _word(params, "workingType", WORKING_TYPES)
        time_in_force = _word(params, "timeInForce", TIMES_IN_FORCE)
        self._check_modelled(params, time_in_force, now)
        order = self._place(params, now)
        return _placed_row(order, time_in_force, working_type)

    def _place(self, params: Params, now: int) -> Order:
        order = self._exchange.place(
            params.get("symbol", ""),
            params.get("side", ""),
            _amount(params, "quantity"),
            now=now,
            type=params["type"],
            position_side=params.get("positionSide") or ("LONG" if self._exchange.hedge else None),
            price=_amount(params, "price") if params.get("price") else None,
            stop_price=_amount(params, "stopPrice") if params.get("stopPrice") else None,
            client_id=params.get("clientOrderId", params.get("clientOrderID", "")),
            reduce_only=_word(params, "reduceOnly", ("false", "true")) == "true",
        )
        if order.type == "MARKET":
            self._exchange.fill(order.id, now=now)
        elif order.stop_price is not None:
            self._resting[order.id] = order.stop_price < self._exchange.market.price(order.symbol, now)
        else:
            self._resting[order.id] = order.side == "BUY"
        return self._exchange.orders[order.id]

    def _cancelled(self, params: Params, now: int) -> Row:
        exchange = self._exchange
        order = exchange.cancel(order_of(params, exchange.market, exchange.orders).id, now=now)
        return order_row(order, exchange.account.leverage[order.symbol][order.position_side == "SHORT"])

    def _check_modelled(self, params: Params, time_in_force: str, now: int) -> None:
        kind = required(params, "type")
        if kind in NOT_MODELLED:
            raise _not_modelled(f"type {kind}")
        if kind not in PLACED:
            raise OrderRefused(INVALID, f"Invalid parameters, err:type: {kind!r} is unknown")
        for name in DEMANDS:
            if not _is_blank(params.get(name, "")):
                raise _not_modelled(name)
        if kind not in TRIGGERS and not _is_blank(params.get("stopPrice", "")):
            raise _not_modelled(f"stopPrice of a {kind} order")
        # What a market order cannot fill at once does not exist here.
        harmless = time_in_force == "GTC" or (kind == "MARKET" and time_in_force != "PostOnly")
        if not harmless and not (kind == "LIMIT" and time_in_force == "PostOnly" and not self._crosses(params, now)):
            raise _not_modelled(f"timeInForce {time_in_force} of this {kind} order")

    def _crosses(self, params: Params, now: int) -> bool:
        """Whether a limit order would be filled at once."""
        symbol, market = params.get("symbol", ""), self._exchange.market
        if symbol not in market.instruments:
            return False
        price, asked = _amount(params, "price"), market.price(symbol, now)
        return price >= asked if params.get("side") == "BUY" else price <= asked


def _placed_row(order: Order, time_in_force: str, working_type: str) -> Row:
    """The order as it was asked for, and what has become of it by now."""
    return {
        "orderId": order.id,
        "orderID": str(order.id),
        "symbol": order.symbol,
        "positionSide": order.position_side,
        "side": order.side,
        "type": order.type,
        "price": order.price or ZERO,
        "quantity": order.qty,
        "quoteOrderQty": 0,
        "stopPrice": order.stop_price or ZERO,
        "workingType": working_type,
        "clientOrderID": order.client_id,
        "clientOrderId": order.client_id,
        "timeInForce": time_in_force,
        "priceRate": 0,
        "stopLoss": "",
        "takeProfit": "",
        "reduceOnly": order.reduce_only,
        "activationPrice": 0,
        "closePosition": "",
        "stopGuaranteed": "",
        "status": order_status(order),
        "avgPrice": plain(order.average),
        "executedQty": plain(order.executed),
    }


def _amount(params: Params, name: str) -> Decimal:
    try:
        amount = Decimal(params.get(name, ""))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: must be a number")
    return amount


def _word(params: Mapping[str, str], name: str, among: tuple[str, ...]) -> str:
    """One of these words, in the venue's spelling; the first where nothing is said."""
    said = params.get(name) or among[0]
    found = {each.upper(): each for each in among}.get(said.upper())
    if found is None:
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: {said!r} is unknown")
    return found


def _is_blank(text: str) -> bool:
    """Whether a parameter was sent and asks for nothing."""
    try:
        return text in {"", "false", "{}"} or not Decimal(text)
    except InvalidOperation:
        return False


def _not_modelled(what: str) -> OrderRefused:
    return OrderRefused(INVALID, f"Invalid parameters, err:{what}: not modelled by this simulated exchange")
