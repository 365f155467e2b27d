"""Words of our own: kinds and sources of events, kinds of income, health, why a stretch is not proven or is read."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Literal

Source = Literal["ws", "poll", "local"]
"""The way an event came: pushed, read by REST, or made by the library itself."""


class ExchangeEventKind(StrEnum):
    """The kinds of event."""

    ORDER_ACK = "ORDER_ACK"
    CANCEL_ACK = "CANCEL_ACK"
    ORDER_REJECT = "ORDER_REJECT"
    ORDER_EXPIRED = "ORDER_EXPIRED"
    PARTIAL_FILL = "PARTIAL_FILL"
    FULL_FILL = "FULL_FILL"
    FILL_REVISED = "FILL_REVISED"
    ACCOUNT_UPDATE = "ACCOUNT_UPDATE"
    FUNDING_FEE = "FUNDING_FEE"
    BALANCE_CHANGE = "BALANCE_CHANGE"
    CONFIG_UPDATE = "CONFIG_UPDATE"
    GAP_OPENED = "GAP_OPENED"
    GAP_CLOSED = "GAP_CLOSED"
    RECONNECTED = "RECONNECTED"
    HEALTH = "HEALTH"
    UNKNOWN = "UNKNOWN"


class Health(StrEnum):
    """How far the stream can be trusted at this moment."""

    LIVE = "LIVE"
    """A proven link and no gap."""
    SUSPECT = "SUSPECT"
    """A gap is open, the link is quieter than it should be, or its key is not being renewed."""
    BLIND = "BLIND"
    """No proven link."""


class GapReason(StrEnum):
    """Why a stretch is not proven."""

    LOST_SOCKET = "lost_socket"
    SILENT = "silent"
    KEY_GONE = "key_gone"
    HOLE = "hole"
    BALANCE = "balance"
    OVERSIZED = "oversized"
    READ_FAILED = "read_failed"
    LATE = "late"
    START = "start"


class IncomeKind(StrEnum):
    """The meaning of a row of the income list for the account, whatever the venue calls it."""

    FEE = "fee"
    """The fee of a fill."""
    PNL = "pnl"
    """The realised PnL of a fill."""
    FUNDING = "funding"
    """Funding that is final."""
    OTHER = "other"
    """A transfer, or whatever else moved the wallet."""


class Purpose(IntEnum):
    """Why the account is read; the higher includes the lower, and is more urgent."""

    POLL = 0
    AUDIT = 1
    SYNC = 2
