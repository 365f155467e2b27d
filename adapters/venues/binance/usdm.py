"""The dialect of Binance's USDⓈ-M futures: frames of the private stream, plain JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ....core.backoff import CallLimit
from ....core.dialect import Opening
from ....core.events import ZERO
from ....core.reports import UNKNOWN, OrderReport, Report, Unreadable
from ..amounts import amounts, identity, moment, positive, text
from ..objects import brief_object, the_object
from ..pieces import reports
from . import facts, words
from .account import account, config
from .frames import control, named, unrecognised, unwrapped


class UsdmDialect:
    """A `SilentDialect`: the key in the address opens the stream, and a dead key opens it too, without an error. And a
    `SettlingDialect`: fees may be paid in BNB.
    """

    def __init__(self, name: str = "binance-usdm", *, cumulative_costs: bool = False) -> None:
        self._name = name
        self._cumulative_costs = cumulative_costs

    @property
    def name(self) -> str:
        """The venue's name as `open_venue` takes it."""
        return self._name

    @property
    def policy(self) -> Mapping[str, float]:
        """Liveness is probed, the key renewed often, and the account's key never deleted."""
        return facts.POLICY

    @property
    def cumulative_costs(self) -> bool:
        """False: captured frames have the fee and PnL of the one fill."""
        return self._cumulative_costs

    @property
    def time_grain_ms(self) -> int:
        """Times are whole milliseconds."""
        return facts.TIME_GRAIN_MS

    @property
    def failing_calls(self) -> CallLimit:
        """Twenty failing calls in a minute."""
        return facts.FAILING_CALLS

    @property
    def counts_available(self) -> bool:
        """False: the available balance depends on positions and their prices."""
        return False

    def opening(self, socket: int) -> tuple[Opening, ...]:
        """Ask for the subscriptions of this socket: any answer shows that both directions work."""
        question = {"method": "LIST_SUBSCRIPTIONS", "id": socket}  # an unsigned integer
        return (Opening(str(socket), json.dumps(question, separators=(",", ":"))),)

    def probe(self, socket: int) -> tuple[Opening, ...]:
        """Ask for the subscriptions again."""
        return self.opening(socket)

    def settlement(self, symbol: str, fee_asset: str | None) -> str | None:
        """The asset with which the symbol ends, if the fee was paid in BNB."""
        return words.settlement(symbol, fee_asset)

    def decode(self, frame: bytes | str) -> tuple[Report, ...]:
        """The reports in one frame: an object, a list of objects, or several objects in lines."""
        brief = brief_object(frame)
        return self._decode(frame, 0) if brief is None else _reports(*brief)

    def _decode(self, frame: bytes | str, depth: int) -> tuple[Report, ...]:
        content = the_object(frame)
        if isinstance(content, Unreadable):
            return reports(frame, content, self._decode, depth)
        return _reports(content, UNKNOWN)


def _reports(content: dict[str, Any], longest: int) -> tuple[Report, ...]:
    event = content if "e" in content else unwrapped(content)
    name = event.get("e")
    if name == "ORDER_TRADE_UPDATE":
        return (_order(event, longest) or unrecognised(content, event, doubtful=True, order=named(event)),)
    if name == "ACCOUNT_UPDATE":
        return (account(event, longest) or unrecognised(content, event, doubtful=True),)
    if name == "ACCOUNT_CONFIG_UPDATE":
        return (config(event) or unrecognised(content, event, known=True),)
    if name == facts.IGNORED:
        return ()
    return control(content, event)


def _order(content: dict[str, Any], longest: int) -> OrderReport | None:
    order = content.get("o")
    if not isinstance(order, dict):
        return None
    get = order.get
    symbol, order_id, said = text(get("s")), identity(get("i")), text(get("X"))
    qty, cumulative_qty, last_qty, price, average_price, last_price, fee, realized_pnl = amounts(
        get("q"), get("z"), get("l"), get("p"), get("ap"), get("L"), get("n"), get("rp")
    )
    if symbol is None or order_id is None or said is None or qty is None or qty < ZERO:
        return None
    if cumulative_qty is None or last_qty is None or not ZERO <= last_qty <= cumulative_qty:
        return None
    status = words.status(said, cumulative_qty, qty)
    client_order_id, side, order_type = text(get("c")), text(get("S")), text(get("o"))
    position_side, fee_asset = words.position_side(get("ps")), text(get("N"))
    price, average_price = words.limit_price(order_type, price), positive(average_price)
    trade_id = None
    if last_qty:  # a fee is positive if it is paid, and negative if it is a maker's rebate
        last_price, trade_id = positive(last_price), identity(get("t"))
    else:
        last_price = fee = realized_pnl = None
    liquidation = words.is_liquidation(client_order_id, order_type, get("x"))
    exchange_ts = moment(get("T"), content.get("T"), content.get("E"))
    return OrderReport(
        symbol,
        order_id,
        status,
        cumulative_qty,
        client_order_id,
        side,
        position_side,
        order_type,
        price,
        qty or None,
        average_price,
        last_qty,
        last_price,
        trade_id,
        fee,
        fee_asset,
        realized_pnl,
        liquidation,
        exchange_ts,
        longest=longest,
    )
