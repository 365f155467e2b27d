"""Reads the private frames of spot, as a second dialect against which the interface of dialects is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ....core.backoff import CallLimit
from ....core.dialect import Opening
from ....core.reports import OrderReport, Report, Unreadable
from ..amounts import amount, identity, moment, text
from ..pieces import reports
from . import facts
from .account import account
from .frames import control, read, unrecognised, unwrapped
from .vocabulary import cost, executed, last_fill, limit_price, side, status

_TOPICS = ("spot.executionReport", "ACCOUNT_UPDATE")


class SpotDialect:
    """The dialect of spot: two subscriptions, proven by their acknowledgements, and a heartbeat in JSON."""

    @property
    def name(self) -> str:
        """The venue's name."""
        return "bingx-spot"

    @property
    def policy(self) -> Mapping[str, float]:
        """Nothing: the policy's defaults hold for this venue."""
        return {}

    @property
    def cumulative_costs(self) -> bool:
        """False: a spot frame has the fee of its own fill."""
        return False

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
        """True: the available balance moves with orders, and pushes contain it."""
        return True

    def opening(self, socket: int) -> tuple[Opening, ...]:
        """Both subscriptions, with ids made of the socket's number."""
        openings = []
        for index, topic in enumerate(_TOPICS, start=1):
            ident = f"listenkey-{socket}-{index}"
            request = {"id": ident, "reqType": "sub", "dataType": topic}
            openings.append(Opening(ident, json.dumps(request, separators=(",", ":"))))
        return tuple(openings)

    def decode(self, frame: bytes | str) -> tuple[Report, ...]:
        """The reports in one inflated frame: an object, a list of objects, or several objects in lines."""
        return self._decode(frame, 0)

    def _decode(self, frame: bytes | str, depth: int) -> tuple[Report, ...]:
        content = read(frame)
        if not isinstance(content, dict):
            return reports(frame, content, self._decode, depth) if isinstance(content, Unreadable) else (content,)
        event = unwrapped(content)
        name = event.get("e")
        if name == "executionReport":
            return (_order(event) or unrecognised(content, doubtful=True),)
        if name == "ACCOUNT_UPDATE":
            return (account(event, free=True) or unrecognised(content, doubtful=True),)
        return (control(content) or unrecognised(content),)


def _order(order: dict[str, Any]) -> OrderReport | None:
    get = order.get
    symbol = text(get("s"))
    order_id = identity(get("i"))
    venue_status = text(get("X"))
    quantity = amount(get("q"))
    if symbol is None or order_id is None or venue_status is None or (quantity is not None and quantity < 0):
        return None
    state = status(venue_status)
    cumulative = executed(state, get("z"), quantity, get("Z"))
    if cumulative is None:
        return None
    kind = text(get("o"))
    last_qty, last_price = last_fill(get("x"), get("l"), get("L"))
    return OrderReport(
        symbol=symbol,
        order_id=order_id,
        status=state,
        cumulative_qty=cumulative,
        client_order_id=text(get("C")) or text(get("c")),
        side=side(get("S")),
        order_type=kind,
        price=limit_price(kind, get("p")),
        qty=quantity or None,  # 0 if the order's size was given in the quote asset
        last_qty=last_qty,
        last_price=last_price,
        trade_id=identity(get("t")),
        fee=cost(get("n")),
        fee_asset=text(get("N")),
        exchange_ts=moment(get("T"), get("E")),
        created_ts=moment(get("O")),
    )
