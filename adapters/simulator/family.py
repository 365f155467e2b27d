"""The interface of a wire to the pure model: its sockets, its listen keys, and the bytes of the model's pushes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from .desk import Desk
from .exchange import Exchange
from .faults import Fault
from .listenkeys import ListenKeys
from .log import Log
from .pushes import Push
from .sockets import Hub, Stream

_Stream = TypeVar("_Stream", bound=Stream)


class Ground(NamedTuple):
    """The model under a wire, and the settings of every wire: `ping_interval` in real seconds, None for its own."""

    exchange: Exchange
    desk: Desk
    log: Log
    wall: Callable[[], int]
    """Real time, ms."""
    seed: int
    ping_interval: float | None
    key_validity_ms: int
    rate_limits: bool


class Crowd(Hub[_Stream]):
    """The sockets on which the market is followed."""

    @abstractmethod
    def step(self, clock: float, now: int, ready_at: float) -> None:
        """Send the pings that are due and the subscribed news; `clock` is in seconds, `now` in exchange ms."""


class Family(Protocol):
    """One venue's wire."""

    @property
    def keys(self) -> ListenKeys:
        """The listen keys."""
        ...

    @property
    def hub(self) -> Hub[Any]:
        """The sockets that follow an account."""
        ...

    @property
    def feeds(self) -> Crowd[Any]:
        """The sockets that follow the market."""
        ...

    def begin(self, fault: Fault, elapsed: float, wall: int) -> None:
        """Begin a fault; `elapsed` is seconds since the start, `wall` real time in ms."""
        ...

    def arranged(self, leaving: Sequence[Push]) -> Iterable[Push]:
        """The pushes that leave at one moment, in the wire's order."""
        ...

    def written(self, push: Push) -> Sequence[bytes]:
        """The frame of a push, and then those that go with it."""
        ...

    def farewell(self, key: str, now: int) -> Iterable[bytes]:
        """The frames for the sockets of a key that has ended."""
        ...

    def told_again(self, what: str, now: int) -> Iterable[bytes]:
        """The frames of the repeated push that `repeats` of the hub names `what`, with the account as it is now."""
        ...
