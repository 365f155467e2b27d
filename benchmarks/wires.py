"""The wires that are measured: how each writes a desk's frames, and the first frames of a socket."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from . import frames, usdm_frames

Frame = Any
"""A frame from a transport: `bytes` if it is binary, `str` if it is text."""


class _OrderText(Protocol):
    def __call__(
        self, serial: int, done: Decimal, qty: Decimal, at: int, *, last: Decimal, trade: int, pnl: Decimal
    ) -> bytes: ...


class _AccountText(Protocol):
    def __call__(self, wallet: Decimal, held: Decimal, at: int) -> bytes: ...


class _Packed(Protocol):
    def __call__(self, text: bytes, /) -> Frame: ...


class Wire(NamedTuple):
    """The wire of one venue. `grain_ms` is the grain of times in its lists; `greeting` proves a link.

    If it is None, a pong and a renewal prove the link.
    """

    venue: str
    symbol: str
    grain_ms: int
    order_text: _OrderText
    account_text: _AccountText
    packed: _Packed
    greeting: Frame | None


BINGX = Wire("bingx-swap", frames.SYMBOL, 1000, frames.order_text, frames.account_text, frames.packed, frames.PING)
USDM = Wire("binance-usdm", usdm_frames.SYMBOL, 1, usdm_frames.order_text, usdm_frames.account_text, bytes.decode, None)
WIRES = (BINGX, USDM)


def named(wire: Wire, row: str) -> str:
    """Return the name of a row, with the venue's name unless it is BingX."""
    return row if wire is BINGX else f"{wire.venue}, {row}"
