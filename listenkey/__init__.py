"""Keeps a trader's private account stream alive and loss-free."""

from typing import TYPE_CHECKING, Any

from .core.events import (
    AccountUpdate,
    Balance,
    BalanceChange,
    ConfigUpdate,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    FillRevised,
    FundingFee,
    GapNotice,
    GapReason,
    Health,
    HealthChange,
    OrderState,
    Position,
    Unknown,
)
from .core.policy import Policy
from .core.totals import Totals, totals
from .ports.errors import CredentialsRefused, JournalRefused, ListenKeyError, ReadFailed, StreamStopped

if TYPE_CHECKING:
    from .adapters.driver.venue import Venue, open_venue

__version__ = "0.2.0"

__all__ = [
    "AccountUpdate",
    "Balance",
    "BalanceChange",
    "ConfigUpdate",
    "CredentialsRefused",
    "ExchangeEvent",
    "ExchangeEventKind",
    "Fill",
    "FillRevised",
    "FundingFee",
    "GapNotice",
    "GapReason",
    "Health",
    "HealthChange",
    "JournalRefused",
    "ListenKeyError",
    "OrderState",
    "Policy",
    "Position",
    "ReadFailed",
    "StreamStopped",
    "Totals",
    "Unknown",
    "Venue",
    "open_venue",
    "totals",
]


def __getattr__(name: str) -> Any:
    """The driver and all beneath it load when they are first asked for: whoever only reads events waits for none."""
    if name not in ("Venue", "open_venue"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .adapters.driver import venue

    globals().update(Venue=venue.Venue, open_venue=venue.open_venue)
    return globals()[name]


def __dir__() -> list[str]:
    return [*globals(), "Venue", "open_venue"]
