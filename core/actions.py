"""What comes out at the door: everything that a connection asks of the outside. Each carries all that it needs."""

from __future__ import annotations

import msgspec

from .discreet import Discreet
from .events import ExchangeEvent
from .refusal import Refusal
from .reports import OrderRef


class CreateKey(msgspec.Struct, frozen=True):
    """Mint a listen key; answer with `KeyGranted` or `Refused`."""

    request: int


class RenewKey(Discreet, frozen=True):
    """Extend the key's validity; answer with `KeyRenewed` or `Refused`."""

    request: int
    key: str


class DeleteKey(Discreet, frozen=True):
    """Delete the key, once, best effort; no answer."""

    key: str


class OpenSocket(Discreet, frozen=True):
    """Open a socket with the key; answer with `SocketOpened`, then `FrameReceived`s, and `SocketClosed` at the end."""

    socket: int
    key: str


class SendFrame(Discreet, frozen=True, gc=False):
    """Send a text frame."""

    socket: int
    data: str


class CloseSocket(msgspec.Struct, frozen=True):
    """Close the socket, or give up opening it; answer with `SocketClosed`."""

    socket: int
    code: int = 1000


class ReadAccount(msgspec.Struct, frozen=True):
    """Read the account by REST; answer with `AccountRead` or `Refused`.

    With `since` (exchange time, ms, exclusive) a whole read, which also shows every order of `orders`. With None and
    orders, only those orders and all their fills; with None and no orders, a whole read of what is from now on.
    """

    request: int
    since: int | None
    orders: tuple[OrderRef, ...] = ()


class Deliver(msgspec.Struct, frozen=True, gc=False):
    """Hand the event to the consumer."""

    event: ExchangeEvent


class MarkProven(msgspec.Struct, frozen=True):
    """All that happened up to this exchange time, ms, has been delivered; to be stored with the events before it."""

    until: int


class Anomaly(msgspec.Struct, frozen=True):
    """Something an outside party should not have done: its name, what was seen (redacted), and how often so far."""

    name: str
    detail: str
    count: int


class Report(msgspec.Struct, frozen=True):
    """Tell the operator; nothing needs to be done."""

    anomaly: Anomaly


class Finish(msgspec.Struct, frozen=True):
    """The stream ends, with the refusal that ended it or None when it was asked to."""

    error: Refusal | None = None


Action = (
    CreateKey
    | RenewKey
    | DeleteKey
    | OpenSocket
    | SendFrame
    | CloseSocket
    | ReadAccount
    | Deliver
    | MarkProven
    | Report
    | Finish
)
