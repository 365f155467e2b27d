"""The actions: everything that a connection asks of the outside. Each carries all that it needs.

An action that asks for an answer makes it: `action.granted(…)` is the input of that answer. `docs/embedding.md` lists
the duties of a driver for each action.
"""

from __future__ import annotations

import msgspec

from .discreet import Discreet
from .events import ExchangeEvent
from .inputs import (
    AccountRead,
    FrameReceived,
    Heard,
    KeyDeleted,
    KeyGranted,
    KeyRenewed,
    Refused,
    SocketClosed,
    SocketOpened,
)
from .kinds import Purpose
from .refusal import Refusal
from .reports import Account, OrderRef


class Begin(msgspec.Struct, frozen=True):
    """The stream begins: events from this exchange time, ms, on are due. A stream that resumes does not emit it."""

    exchange_ms: int


class CreateKey(msgspec.Struct, frozen=True):
    """Mint a listen key; answer with `KeyGranted` or `Refused`."""

    request: int

    def granted(self, key: str, valid_for: float, exchange_ms: int | None = None) -> KeyGranted:
        """The key, the seconds for which it is valid, and the venue's clock at the grant."""
        return KeyGranted(self.request, key, valid_for, exchange_ms)

    def refused(self, refusal: Refusal) -> Refused:
        """No key was minted."""
        return Refused(self.request, refusal)


class RenewKey(Discreet, frozen=True):
    """Extend the key's validity; answer with `KeyRenewed` or `Refused`."""

    request: int
    key: str

    def renewed(self, key: str | None = None) -> KeyRenewed:
        """The key lives on for its whole validity: the one that the venue names, if it names any."""
        return KeyRenewed(self.request, key)

    def refused(self, refusal: Refusal) -> Refused:
        """It was not extended."""
        return Refused(self.request, refusal)


class DeleteKey(Discreet, frozen=True):
    """Delete the key, once, best effort; answer with `KeyDeleted` when that has been tried, however it went."""

    request: int
    key: str

    def deleted(self) -> KeyDeleted:
        """The attempt is over: the key is deleted, or could not be."""
        return KeyDeleted(self.request)


class OpenSocket(Discreet, frozen=True):
    """Open a socket with the key; answer with `SocketOpened`, then `FrameReceived`s, and `SocketClosed` at the end."""

    socket: int
    key: str

    def opened(self) -> SocketOpened:
        """The handshake is complete."""
        return SocketOpened(self.socket)

    def received(self, data: bytes | bytearray | memoryview | str) -> FrameReceived:
        """A frame came."""
        return FrameReceived(self.socket, data)

    def heard(self) -> Heard:
        """A ping or a pong came."""
        return Heard(self.socket)

    def closed(self, code: int | None = None, refusal: Refusal | None = None) -> SocketClosed:
        """The socket ended, or never opened."""
        return SocketClosed(self.socket, code, refusal)


class SendFrame(Discreet, frozen=True, gc=False):
    """Send a text frame; on a socket that has just died it is dropped."""

    socket: int
    data: str


class SendPing(msgspec.Struct, frozen=True, gc=False):
    """Send a protocol-level ping, whose pong is an input; on a socket that has just died it is dropped."""

    socket: int


class CloseSocket(msgspec.Struct, frozen=True):
    """Close the socket, or give up opening it; answer with `SocketClosed`."""

    socket: int
    code: int = 1000

    def closed(self) -> SocketClosed:
        """It is closed, or will never open."""
        return SocketClosed(self.socket, self.code)


class ReadAccount(msgspec.Struct, frozen=True):
    """Read the account by REST; answer with `AccountRead` or `Refused`.

    With `since` (exchange time, ms, exclusive) a whole read, which also shows every order of `orders`. With None and
    orders, only those orders and all their fills; with None and no orders, a whole read of what is from now on.
    The `purpose` says how urgent it is: where a limit is short, what is less urgent may be refused with `PUT_OFF`.
    """

    request: int
    since: int | None
    orders: tuple[OrderRef, ...] = ()
    purpose: Purpose = Purpose.SYNC

    def read(self, account: Account) -> AccountRead:
        """This is the account."""
        return AccountRead(self.request, account)

    def refused(self, refusal: Refusal) -> Refused:
        """It could not be read."""
        return Refused(self.request, refusal)


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
    """Inform the operator; nothing needs to be done."""

    anomaly: Anomaly


class Finish(msgspec.Struct, frozen=True):
    """The stream ends, with the refusal that ended it or None when it was asked to."""

    error: Refusal | None = None


Action = (
    Begin
    | CreateKey
    | RenewKey
    | DeleteKey
    | OpenSocket
    | SendFrame
    | SendPing
    | CloseSocket
    | ReadAccount
    | Deliver
    | MarkProven
    | Report
    | Finish
)
