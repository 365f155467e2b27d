"""The pure side of a venue; the core asks nothing else of a venue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, runtime_checkable

from .backoff import CallLimit
from .discreet import Concealed
from .reports import Report


class Opening(NamedTuple):
    """A frame to send when a socket has opened, and the id that its acknowledgement will bear."""

    id: str
    text: str

    def __repr__(self) -> str:
        return f"Opening({self.id!r}, {Concealed(self.text)!r})"


class Dialect(Protocol):
    """Stateless; every method is a pure function of its arguments and total over garbage."""

    @property
    def name(self) -> str:
        """The venue's name as `open_venue` takes it."""

    @property
    def policy(self) -> Mapping[str, float]:
        """Fields of `Policy` whose default differs for this venue."""

    @property
    def cumulative_costs(self) -> bool:
        """True if a frame's fee and PnL are the order's so far; False if they are of this one fill."""

    @property
    def time_grain_ms(self) -> int:
        """How exact the times of the venue's lists are, ms: within one such stretch a push goes before a read."""

    @property
    def failing_calls(self) -> CallLimit:
        """How many failing calls of one kind are risked in what time: well below what makes the venue lock us out."""

    @property
    def counts_available(self) -> bool:
        """True if a balance's `available` is a figure of its own (spot), not one that moves with prices and orders."""

    def decode(self, frame: bytes | str) -> tuple[Report, ...]:
        """The reports in one inflated frame; garbage gives `Unreadable`, the unknown `Unrecognised`. Never raises.

        None at all: the frame says nothing, and proves nothing.
        """

    def opening(self, socket: int) -> tuple[Opening, ...]:
        """Frames to send first. A link is proven by all their acknowledgements or, with none, by any readable frame."""


@runtime_checkable
class SettlingDialect(Dialect, Protocol):
    """Of a venue where a fee may be paid in another asset than the one in which the fill's PnL is booked."""

    def settlement(self, symbol: str, fee_asset: str | None) -> str | None:
        """The asset of the PnL of such a fill; None if it is that of the fee, or is not known."""


@runtime_checkable
class SilentDialect(Dialect, Protocol):
    """Of a venue that opens a socket for a dead key too, without a word, and may say nothing on it for days.

    So a link of it is proven by two things: a sign of life on its socket, which is asked for with the opening frames,
    and a renewal, answered after the handshake, that names its key.
    """

    def probe(self, socket: int) -> tuple[Opening, ...]:
        """Requests that the venue answers, sent beside a ping when it is asked for life; none if a ping is all."""
