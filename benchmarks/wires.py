"""The wires that are measured: how each writes the frames of a desk, and with what a socket begins."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from . import frames, usdm_frames

Frame = Any
"""As a transport hands it over: `bytes` if it is a binary one, `str` if it is text."""


class _OrderText(Protocol):
    def __call__(
        self, serial: int, done: Decimal, qty: Decimal, at: int, *, last: Decimal, trade: int, pnl: Decimal
    ) -> bytes: ...


class _AccountText(Protocol):
    def __call__(self, wallet: Decimal, held: Decimal, at: int) -> bytes: ...


class _Packed(Protocol):
    def __call__(self, text: bytes, /) -> Frame: ...


class Wire(NamedTuple):
    """One venue's. `grain_ms` is how exact the times of its lists are; `greeting` proves a link, unless it is None.

    Without one, a pong and a renewal prove it.
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
    """The name of a row: BingX's are the plain ones, all others say whose they are."""
    return row if wire is BINGX else f"{wire.venue}, {row}"
