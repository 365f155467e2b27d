"""Keeps a trader's private account stream alive and loss-free."""

from .adapters.venue import Venue, open_venue
from .core.events import (
    AccountUpdate,
    Balance,
    BalanceChange,
    ConfigUpdate,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
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
from .ports.errors import CredentialsRefused, ListenKeyError, ReadFailed, StreamStopped

__version__ = "0.1.0"

__all__ = [
    "AccountUpdate",
    "Balance",
    "BalanceChange",
    "ConfigUpdate",
    "CredentialsRefused",
    "ExchangeEvent",
    "ExchangeEventKind",
    "Fill",
    "FundingFee",
    "GapNotice",
    "GapReason",
    "Health",
    "HealthChange",
    "ListenKeyError",
    "OrderState",
    "Policy",
    "Position",
    "ReadFailed",
    "StreamStopped",
    "Unknown",
    "Venue",
    "open_venue",
]
