"""Packs an event to bytes and back without loss: MessagePack, with tags for types that it does not have."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_type_hints

import msgspec

from ...core.events import (
    AccountUpdate,
    BalanceChange,
    ConfigUpdate,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    FillRevised,
    FundingFee,
    GapNotice,
    HealthChange,
    OrderState,
    Unknown,
)

K = ExchangeEventKind

CLASSES: dict[ExchangeEventKind, type[ExchangeEvent]] = {
    K.ORDER_ACK: OrderState,
    K.CANCEL_ACK: OrderState,
    K.ORDER_REJECT: OrderState,
    K.ORDER_EXPIRED: OrderState,
    K.PARTIAL_FILL: Fill,
    K.FULL_FILL: Fill,
    K.FILL_REVISED: FillRevised,
    K.ACCOUNT_UPDATE: AccountUpdate,
    K.FUNDING_FEE: FundingFee,
    K.BALANCE_CHANGE: BalanceChange,
    K.CONFIG_UPDATE: ConfigUpdate,
    K.GAP_OPENED: GapNotice,
    K.GAP_CLOSED: GapNotice,
    K.RECONNECTED: GapNotice,
    K.HEALTH: HealthChange,
    K.UNKNOWN: Unknown,
}

_DECIMAL, _INTEGER = 1, 2
_EXACT_TYPES = (Decimal, bytes)


def _stored(cls: type[ExchangeEvent]) -> type[msgspec.Struct]:
    """A class with the same fields but `frame` of any type: MessagePack itself distinguishes `bytes` and `str`."""
    hints = {**get_type_hints(cls), "frame": Any}
    fields: list[Any] = []
    for field in msgspec.structs.fields(cls):
        default = () if field.default is msgspec.NODEFAULT else (field.default,)
        fields.append((field.name, hints[field.name], *default))
    return msgspec.defstruct(cls.__name__, fields, kw_only=True)


_STORED = {cls: _stored(cls) for cls in dict.fromkeys(CLASSES.values())}
_ENCODER = msgspec.msgpack.Encoder()
_DECODERS = {kind.value: msgspec.msgpack.Decoder(_STORED[cls]) for kind, cls in CLASSES.items() if cls is not Unknown}


def pack(event: ExchangeEvent) -> bytes:
    """Pack an event with its `frame`. Content that is nested too deeply to be encoded is stored as its frame."""
    if not isinstance(event, Unknown):
        try:
            return _ENCODER.encode(event)
        except OverflowError:
            return _pack_tagged(event)
    try:
        return _pack_tagged(event)
    except RecursionError:
        return _pack_tagged(msgspec.structs.replace(event, raw=event.frame))


def unpack(kind: str, body: bytes) -> ExchangeEvent:
    """Return the event that was packed. Raises `msgspec.MsgspecError` for other bytes."""
    if kind not in CLASSES:
        raise msgspec.ValidationError(f"no such kind: {kind!r}")
    cls = CLASSES[K(kind)]
    try:
        stored = _DECODERS[kind].decode(body)
    except (KeyError, msgspec.ValidationError):  # of unknown content, or with a tagged integer
        stored = msgspec.convert(_TAGGED.decode(body), _STORED[cls], builtin_types=_EXACT_TYPES)
    return cls(**msgspec.structs.asdict(stored))


def _pack_tagged(event: ExchangeEvent) -> bytes:
    return _ENCODER.encode(_tagged(msgspec.to_builtins(event, builtin_types=_EXACT_TYPES)))


def _tagged(value: Any) -> Any:
    if isinstance(value, Decimal):
        return msgspec.msgpack.Ext(_DECIMAL, str(value).encode())
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return msgspec.msgpack.Ext(_INTEGER, b"%x" % value)  # hexadecimal, for which Python has no limit of digits
    if isinstance(value, dict):
        return {name: _tagged(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tagged(inner) for inner in value]
    return value


def _untagged(code: int, data: memoryview) -> Any:
    text = bytes(data).decode()
    return Decimal(text) if code == _DECIMAL else int(text, 16)


_TAGGED = msgspec.msgpack.Decoder(ext_hook=_untagged)
