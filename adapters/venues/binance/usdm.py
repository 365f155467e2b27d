"""The dialect of Binance's USDⓈ-M futures: frames of the private stream, plain JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ....core.backoff import CallLimit
from ....core.dialect import Opening
from ....core.reports import OrderReport, Report, Unreadable
from ..amounts import amount, identity, moment, positive, text
from ..objects import the_object
from ..pieces import reports
from . import facts
from .account import account, config
from .frames import control, named, unrecognised, unwrapped
from .words import is_liquidation, limit_price, position_side, settlement, status


class UsdmDialect:
    """A `SilentDialect`: the key in the address opens the stream, and a dead one does so too, without a word. And a
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
        """Asked for life, renewed often, and never deleting the account's key."""
        return facts.POLICY

    @property
    def cumulative_costs(self) -> bool:
        """No: captured frames show fee and PnL of the one fill."""
        return self._cumulative_costs

    @property
    def time_grain_ms(self) -> int:
        """A millisecond."""
        return facts.TIME_GRAIN_MS

    @property
    def failing_calls(self) -> CallLimit:
        """Twenty in a minute."""
        return facts.FAILING_CALLS

    @property
    def counts_available(self) -> bool:
        """No: it follows from positions and their prices."""
        return False

    def opening(self, socket: int) -> tuple[Opening, ...]:
        """Ask what this socket listens to: an answer, whatever is in it, shows that both directions work."""
        question = {"method": "LIST_SUBSCRIPTIONS", "id": socket}  # an unsigned integer
        return (Opening(str(socket), json.dumps(question, separators=(",", ":"))),)

    def probe(self, socket: int) -> tuple[Opening, ...]:
        """The same question."""
        return self.opening(socket)

    def settlement(self, symbol: str, fee_asset: str | None) -> str | None:
        """The asset that the symbol ends with, where the fee was paid in BNB."""
        return settlement(symbol, fee_asset)

    def decode(self, frame: bytes | str) -> tuple[Report, ...]:
        """The reports in one frame: of one object, of a list of them, or of several line by line."""
        return self._decode(frame, 0)

    def _decode(self, frame: bytes | str, depth: int) -> tuple[Report, ...]:
        content = the_object(frame)
        if isinstance(content, Unreadable):
            return reports(frame, content, self._decode, depth)
        event = unwrapped(content)
        name = event.get("e")
        if name == "ORDER_TRADE_UPDATE":
            return (_order(event) or unrecognised(content, event, doubtful=True, order=named(event)),)
        if name == "ACCOUNT_UPDATE":
            return (account(event) or unrecognised(content, event, doubtful=True),)
        if name == "ACCOUNT_CONFIG_UPDATE":
            return (config(event) or unrecognised(content, event, known=True),)
        if name == facts.IGNORED:
            return ()
        return control(content, event)


def _order(content: dict[str, Any]) -> OrderReport | None:
    order = content.get("o")
    if not isinstance(order, dict):
        return None
    get = order.get
    symbol, order_id, venue_status = text(get("s")), identity(get("i")), text(get("X"))
    quantity, cumulative, last = amount(get("q")), amount(get("z")), amount(get("l"))
    if symbol is None or order_id is None or venue_status is None or quantity is None or quantity < 0:
        return None
    if cumulative is None or last is None or not 0 <= last <= cumulative:
        return None
    client_order_id, kind, execution = text(get("c")), text(get("o")), get("x")
    return OrderReport(
        symbol=symbol,
        order_id=order_id,
        status=status(venue_status, cumulative, quantity),
        cumulative_qty=cumulative,
        client_order_id=client_order_id,
        side=text(get("S")),
        position_side=position_side(get("ps")),
        order_type=kind,
        price=limit_price(kind, get("p")),
        qty=quantity or None,
        average_price=positive(get("ap")),
        last_qty=last,
        last_price=positive(get("L")) if last else None,
        trade_id=identity(get("t")) if last else None,
        fee=amount(get("n")) if last else None,  # positive is paid, negative a maker's rebate
        fee_asset=text(get("N")),
        realized_pnl=amount(get("rp")) if last else None,
        liquidation=is_liquidation(client_order_id, kind, execution),
        exchange_ts=moment(get("T"), content.get("T"), content.get("E")),
    )
