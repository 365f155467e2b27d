"""The inputs: everything that the outside can report to a connection."""

from __future__ import annotations

import msgspec

from .discreet import Discreet
from .events import ExchangeEvent
from .refusal import Refusal, RefusalKind
from .reports import Account

__all__ = [
    "AccountRead",
    "Checkpoint",
    "FrameReceived",
    "Heard",
    "Input",
    "KeyDeleted",
    "KeyGranted",
    "KeyRenewed",
    "Refusal",
    "RefusalKind",
    "Refused",
    "Resync",
    "Rotate",
    "SocketClosed",
    "SocketOpened",
    "Start",
    "Stop",
    "Tick",
]


class Checkpoint(msgspec.Struct, frozen=True):
    """The state that a journal has kept from the run before.

    `proven_until` is exchange time, ms, None if no read ever passed; `events` are those stored since well before it,
    and all of every order still open, oldest first.
    """

    began: int
    proven_until: int | None
    events: tuple[ExchangeEvent, ...] = ()


class Start(msgspec.Struct, frozen=True):
    """Begin; at most once."""

    checkpoint: Checkpoint | None = None


class Stop(msgspec.Struct, frozen=True):
    """Close everything, delete our keys and finish."""


class Tick(msgspec.Struct, frozen=True):
    """Time has passed, nothing else."""


class Rotate(msgspec.Struct, frozen=True):
    """Move over to a fresh key and socket now."""


class Resync(msgspec.Struct, frozen=True):
    """Read the account now and settle what does not add up."""


class KeyGranted(Discreet, frozen=True):
    """The answer to `CreateKey`: valid for so many seconds; `exchange_ms` is the venue's clock at the grant."""

    request: int
    key: str
    valid_for: float
    exchange_ms: int | None = None


class KeyRenewed(Discreet, frozen=True):
    """The answer to `RenewKey`: the key that the venue has extended, where it names it.

    Where all of an account share one key, it may be another than was to be renewed, which then is gone.
    """

    request: int
    key: str | None = None


class KeyDeleted(msgspec.Struct, frozen=True):
    """The answer to `DeleteKey`: the attempt is over, also where it was refused or failed."""

    request: int


class SocketOpened(msgspec.Struct, frozen=True):
    """The answer to `OpenSocket`: the handshake is complete."""

    socket: int


class SocketClosed(msgspec.Struct, frozen=True):
    """A socket ended, or never opened: the close code, if there was one, and the venue's refusal, if it gave one."""

    socket: int
    code: int | None = None
    refusal: Refusal | None = None


class FrameReceived(Discreet, frozen=True, gc=False):
    """A frame as it came: `str` for a text one, else binary. A buffer is read in the call that takes it, not later."""

    socket: int
    data: bytes | bytearray | memoryview | str


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A protocol-level ping or pong came on a socket, which says that the venue's end lives, and nothing else."""

    socket: int


class AccountRead(msgspec.Struct, frozen=True):
    """The answer to `ReadAccount`."""

    request: int
    account: Account


class Refused(msgspec.Struct, frozen=True):
    """The answer to any request that was not granted."""

    request: int
    refusal: Refusal


Input = (
    Start
    | Stop
    | Tick
    | Rotate
    | Resync
    | KeyGranted
    | KeyRenewed
    | KeyDeleted
    | SocketOpened
    | SocketClosed
    | FrameReceived
    | Heard
    | AccountRead
    | Refused
)
