"""The floor: what a frame costs before anybody has thought about it. Inflated and parsed, with Decimals, alone."""

from __future__ import annotations

import zlib
from decimal import Decimal

import msgspec


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
    td: int
    l: Decimal  # noqa: E741 - the wire's own name
    L: Decimal


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


class _OrderFrame(msgspec.Struct, tag_field="e", tag="ORDER_TRADE_UPDATE"):
    E: int
    o: _Order
    T: int = 0


class _AccountFrame(msgspec.Struct, tag_field="e", tag="ACCOUNT_UPDATE"):
    E: int
    a: _Account
    T: int = 0


_decode = msgspec.json.Decoder(_OrderFrame | _AccountFrame).decode


def parsed(frame: bytes) -> _OrderFrame | _AccountFrame:
    """The typed values in a frame. Raises for anything else."""
    content: _OrderFrame | _AccountFrame = _decode(zlib.decompress(frame, 31))
    return content
