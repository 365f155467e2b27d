"""An entry of a journal as a row of its table, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from ...core.events import ExchangeEvent, ExchangeEventKind, FillRevised, OrderState
from ...core.reports import OrderRef
from ...ports.journal import Entry
from .codec import pack, unpack

LARGEST = (1 << 63) - 1

_ENDING_KINDS = {
    ExchangeEventKind.FULL_FILL,
    ExchangeEventKind.CANCEL_ACK,
    ExchangeEventKind.ORDER_EXPIRED,
    ExchangeEventKind.ORDER_REJECT,
}
_ENDING_STATES = {"FILLED", "CANCELED", "EXPIRED", "REJECTED"}


def decoded(rows: Iterable[tuple[int, str, bytes]]) -> Iterator[Entry]:
    """The entries of the rows (serial, kind, body). Raises `msgspec.MsgspecError`."""
    for serial, kind, body in rows:
        yield Entry(serial, unpack(kind, body))


def again(entry: Entry) -> Entry:
    """Return the entry with its event flagged `redelivered`."""
    return Entry(entry.serial, msgspec.structs.replace(entry.event, redelivered=True))


def order_key(event: ExchangeEvent) -> str | None:
    """Return the key of the event's order in the file, None if it has none; symbols contain no space."""
    return f"{event.symbol} {event.order_id}" if isinstance(event, (OrderState, FillRevised)) else None


def order_of(key: str) -> OrderRef:
    """Return the order with this key."""
    symbol, _, order_id = key.partition(" ")
    return OrderRef(symbol, order_id)


def row(entry: Entry, proven: int) -> tuple[int, str, int, str | None, bool, bytes]:
    """Return all columns; `proven` is `proven_until`, exchange time, ms, when the entry is stored."""
    event = entry.event
    at = min(max(event.exchange_ts or 0, proven), LARGEST)
    ends = isinstance(event, OrderState) and (event.kind in _ENDING_KINDS or event.status in _ENDING_STATES)
    return entry.serial, event.kind.value, at, order_key(event), ends, pack(event)
