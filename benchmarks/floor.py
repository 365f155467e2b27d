"""The floor of decoding: a frame is inflated, if the wire packs it, and parsed into typed values with Decimals."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from .wires import BINGX, USDM


class _Order(msgspec.Struct):
    s: str
    c: str
    i: int
    S: str
    o: str
    q: Decimal
    p: Decimal
    ap: Decimal
    x: str
    X: str
    N: str
    n: Decimal
    T: int
    ps: str
    rp: Decimal
    z: Decimal
    l: Decimal  # noqa: E741 - the wire's own name
    L: Decimal


class _BingXOrder(_Order):
    td: int


class _UsdmOrder(_Order):
    t: int


class _Balance(msgspec.Struct):
    a: str
    wb: Decimal
    bc: Decimal


class _Position(msgspec.Struct):
    s: str
    pa: Decimal
    ep: Decimal
    up: Decimal
    mt: str
    ps: str


class _Account(msgspec.Struct):
    m: str
    B: list[_Balance]
    P: list[_Position]


OrderT = TypeVar("OrderT")


class _OrderFrame(msgspec.Struct, Generic[OrderT], tag_field="e", tag="ORDER_TRADE_UPDATE"):
    E: int
    o: OrderT
    T: int = 0


class _AccountFrame(msgspec.Struct, tag_field="e", tag="ACCOUNT_UPDATE"):
    E: int
    a: _Account
    T: int = 0


_decode = msgspec.json.Decoder(_OrderFrame[_BingXOrder] | _AccountFrame).decode
_decode_usdm = msgspec.json.Decoder(_OrderFrame[_UsdmOrder] | _AccountFrame).decode


def parsed(frame: bytes) -> object:
    """Return the typed values of a gzip frame of BingX. Raises for any other frame."""
    return _decode(zlib.decompress(frame, 31))


def parsed_usdm(frame: str) -> object:
    """Return the typed values of a text frame of Binance. Raises for any other frame."""
    return _decode_usdm(frame)


PARSED: Mapping[str, Callable[[Any], object]] = {BINGX.venue: parsed, USDM.venue: parsed_usdm}
"""The function of the floor by venue."""
