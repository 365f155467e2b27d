"""Keeps a trader's private account stream alive and loss-free.

Names load from their modules when they are first asked for: whoever needs only a part waits for no other.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapters.driver.venue import Venue as Venue
    from .adapters.driver.venue import open_venue as open_venue
    from .core.events import AccountUpdate as AccountUpdate
    from .core.events import Balance as Balance
    from .core.events import BalanceChange as BalanceChange
    from .core.events import ConfigUpdate as ConfigUpdate
    from .core.events import ExchangeEvent as ExchangeEvent
    from .core.events import ExchangeEventKind as ExchangeEventKind
    from .core.events import Fill as Fill
    from .core.events import FillRevised as FillRevised
    from .core.events import FundingFee as FundingFee
    from .core.events import GapNotice as GapNotice
    from .core.events import GapReason as GapReason
    from .core.events import Health as Health
    from .core.events import HealthChange as HealthChange
    from .core.events import OrderState as OrderState
    from .core.events import Position as Position
    from .core.events import Unknown as Unknown
    from .core.policy import Policy as Policy
    from .core.totals import Totals as Totals
    from .core.totals import totals as totals
    from .ports.errors import CredentialsRefused as CredentialsRefused
    from .ports.errors import JournalRefused as JournalRefused
    from .ports.errors import ListenKeyError as ListenKeyError
    from .ports.errors import ReadFailed as ReadFailed
    from .ports.errors import StreamStopped as StreamStopped

__version__ = "0.1.0"

_EVENTS, _ERRORS = ".core.events", ".ports.errors"
_MODULES = {
    "AccountUpdate": _EVENTS,
    "Balance": _EVENTS,
    "BalanceChange": _EVENTS,
    "ConfigUpdate": _EVENTS,
    "CredentialsRefused": _ERRORS,
    "ExchangeEvent": _EVENTS,
    "ExchangeEventKind": _EVENTS,
    "Fill": _EVENTS,
    "FillRevised": _EVENTS,
    "FundingFee": _EVENTS,
    "GapNotice": _EVENTS,
    "GapReason": _EVENTS,
    "Health": _EVENTS,
    "HealthChange": _EVENTS,
    "JournalRefused": _ERRORS,
    "ListenKeyError": _ERRORS,
    "OrderState": _EVENTS,
    "Policy": ".core.policy",
    "Position": _EVENTS,
    "ReadFailed": _ERRORS,
    "StreamStopped": _ERRORS,
    "Totals": ".core.totals",
    "Unknown": _EVENTS,
    "Venue": ".adapters.driver.venue",
    "open_venue": ".adapters.driver.venue",
    "totals": ".core.totals",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
