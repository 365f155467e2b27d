"""Reads the private frames of the USDT-M swap: every frame gives reports, and none raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.backoff import CallLimit
from ....core.dialect import Opening
from ....core.reports import ConfigReport, OrderRef, OrderReport, Report, Unreadable, Unrecognised
from ..amounts import amount, identity, moment, positive, text
from ..pieces import reports
from . import facts
from .account import account
from .fastpath import SHORTEST, fast_report
from .frames import control, read, unrecognised, unwrapped
from .vocabulary import (
    caused_by_fill,
    cost,
    executed,
    last_fill,
    leverage,
    limit_price,
    margin_mode,
    position_side,
    side,
    status,
)


class SwapDialect:
    """The dialect of `bingx-swap` and `bingx-swap-vst`. Nothing is subscribed to: the key alone opens the stream."""

    def __init__(self, name: str = "bingx-swap", *, cumulative_costs: bool = False) -> None:
        self._name = name
        self._cumulative_costs = cumulative_costs

    @property
    def name(self) -> str:
        """The venue's name as `open_venue` takes it."""
        return self._name

    @property
    def policy(self) -> Mapping[str, float]:
        """Nothing: the policy's defaults hold for this venue."""
        return {}

    @property
    def cumulative_costs(self) -> bool:
        """True if `n` and `rp` are the sums of the order so far. No document states it; by default they are the
        fill's own, until captured frames prove otherwise.
        """
        return self._cumulative_costs

    @property
    def time_grain_ms(self) -> int:
        """Times are whole seconds."""
        return facts.TIME_GRAIN_MS

    @property
    def failing_calls(self) -> CallLimit:
        """Fifteen failing calls in eight minutes."""
        return facts.FAILING_CALLS

    @property
    def counts_available(self) -> bool:
        """False: on the swap the available balance depends on positions and their prices."""
        return False

    def opening(self, socket: int) -> tuple[Opening, ...]:
        """No frame: the venue answers even an empty one with an error."""
        return ()

    def decode(self, frame: bytes | str, depth: int = 0) -> tuple[Report, ...]:
        """The reports in one inflated frame: an object, a list of objects, or several objects in lines. `depth` is the
        nesting of a piece of a frame.
        """
        if len(frame) >= SHORTEST and isinstance(frame, bytes) and (report := fast_report(frame)) is not None:
            return (report,)
        content = read(frame)
        if isinstance(content, dict):
            return self._reports(content)
        return reports(frame, content, self.decode, depth) if isinstance(content, Unreadable) else (content,)

    def _reports(self, content: dict[str, Any]) -> tuple[Report, ...]:
        event = content if "e" in content else unwrapped(content)
        name = event.get("e")
        if name == "ORDER_TRADE_UPDATE" or name == "TRADE_UPDATE":
            return (_order(event) or unrecognised(content, doubtful=True, order=_named(event)),)
        if name == "ACCOUNT_UPDATE":
            return (account(event, free=False) or unrecognised(content, doubtful=True),)
        if name == "ACCOUNT_CONFIG_UPDATE":
            return (_config(event) or unrecognised(content),)
        if name == "SNAPSHOT":
            return _snapshot(event)
        return (control(content) or unrecognised(content),)


def _order(content: dict[str, Any]) -> OrderReport | None:
    order = content.get("o")
    if not isinstance(order, dict):
        return None
    get = order.get
    symbol = text(get("s"))
    order_id = identity(get("i"))
    venue_status = text(get("X"))  # not `x`: it is TRADE when a trigger order is placed
    quantity = amount(get("q"))
    if symbol is None or order_id is None or venue_status is None or quantity is None or quantity < 0:
        return None
    state = status(venue_status)
    cumulative = executed(state, get("z"), quantity, get("ap"))
    if cumulative is None:
        return None
    kind = text(get("o"))
    last_qty, last_price = last_fill(get("x"), get("l"), get("L")) if "l" in order else (None, None)
    if last_qty and not cumulative:
        return None  # a fill without executed quantity
    costs = caused_by_fill(get("x"))
    return OrderReport(
        symbol=symbol,
        order_id=order_id,
        status=state,
        cumulative_qty=cumulative,
        client_order_id=text(get("c")),
        side=side(get("S")),
        position_side=position_side(get("ps")),
        order_type=kind,
        price=limit_price(kind, get("p")),
        qty=quantity or None,
        average_price=positive(get("ap")),
        last_qty=last_qty,
        last_price=last_price,
        trade_id=identity(get("td")),  # `ti` is a related conditional order, not a trade
        fee=cost(get("n")) if costs else None,
        fee_asset=text(get("N")),
        realized_pnl=amount(get("rp")) if costs else None,
        liquidation=kind == "LIQUIDATION" or get("x") == "CALCULATED",
        exchange_ts=moment(get("T"), content.get("T"), content.get("E")),
    )


def _named(content: dict[str, Any]) -> OrderRef | None:
    """The order that a frame names, even if the rest of the frame is wrong."""
    order = content.get("o")
    if not isinstance(order, dict):
        return None
    symbol, order_id = text(order.get("s")), identity(order.get("i"))
    return None if symbol is None or order_id is None else OrderRef(symbol, order_id)


def _config(content: dict[str, Any]) -> ConfigReport | None:
    body = content.get("ac")
    if not isinstance(body, dict):
        return None
    return ConfigReport(
        symbol=text(body.get("s")),
        long_leverage=leverage(body.get("l")),
        short_leverage=leverage(body.get("S")),
        margin_mode=margin_mode(body.get("mt")),
        exchange_ts=moment(content.get("T"), content.get("E")),
    )


def _snapshot(content: dict[str, Any]) -> tuple[Report, ...]:
    """Return the readable reports of a snapshot. The rest is delivered as UNKNOWN, never doubtful: it repeats every 5
    s.
    """
    found: list[Report] = []
    for name, report in (("a", account(content, free=False, snapshot=True)), ("ac", _config(content))):
        if report is not None:
            found.append(report)
        elif name in content:
            return (*found, Unrecognised(content, moment(content.get("T"), content.get("E"))))
    return tuple(found) or (Unrecognised(content, moment(content.get("T"), content.get("E"))),)
