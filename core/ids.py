"""The identity of an event, the same whichever way it came and in whichever run, as far as there is a natural one."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b

import msgspec

from .frames import Frame
from .plain import canonical, printable


def fill_id(symbol: str, order_id: str, cumulative: Decimal) -> str:
    """The identity of a fill, the same whichever path brought it."""
    return f"fill:{symbol}:{order_id}:{canonical(cumulative)}"


def revision_id(
    symbol: str,
    order_id: str,
    cumulative: Decimal,
    fill_price: Decimal | None,
    fee: Decimal | None,
    realized_pnl: Decimal | None,
) -> str:
    """The identity of a revised fill: the fill's, and the figures that it now has."""
    amounts = ":".join("" if amount is None else canonical(amount) for amount in (fill_price, fee, realized_pnl))
    return f"revised:{symbol}:{order_id}:{canonical(cumulative)}:{amounts}"


def order_state_id(
    symbol: str, order_id: str, status: str, cumulative: Decimal, qty: Decimal | None, price: Decimal | None
) -> str:
    """The identity of an order's state."""
    amounts = ":".join("" if amount is None else canonical(amount) for amount in (cumulative, qty, price))
    return f"order:{symbol}:{order_id}:{status}:{amounts}"


def digest_id(kind: str, exchange_ts: int | None, *content: object) -> str:
    """The identity of an event that has no natural one: a digest of its kind, time and content."""
    plain = msgspec.to_builtins((exchange_ts, content), builtin_types=(Decimal,))
    text = msgspec.json.encode(printable(plain))
    return f"{kind.lower()}:{blake2b(text, digest_size=12).hexdigest()}"


def frame_id(kind: str, frame: Frame, place: int = 0) -> str:
    """Return the identity of an event in a frame: a digest of the frame, which holds its time and content.

    `kind` is in lower case, and `place` counts the events of one frame, from 0.
    """
    text = frame if isinstance(frame, bytes) else (frame or "").encode()
    if place:
        text += b"#%d" % place
    return kind + ":" + blake2b(text, digest_size=12).hexdigest()
