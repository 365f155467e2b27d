"""Keeps a trader's private account stream alive and loss-free.

Names load from their modules when they are first asked for: whoever needs only a part waits for no other.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapters.driver.clock import SystemClock as SystemClock
    from .adapters.driver.venue import Venue as Venue
    from .adapters.driver.venue import open_venue as open_venue
    from .adapters.executors.tasks import TaskExecutor as TaskExecutor
    from .adapters.executors.threads import ThreadExecutor as ThreadExecutor
    from .adapters.transports.blocking_http import BlockingHttp as BlockingHttp
    from .adapters.venues.registry import family as family
    from .core import actions as actions
    from .core import inputs as inputs
    from .core.book import Book as Book
    from .core.connection import Connection as Connection
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
    from .core.link.lifecycle import State as State
    from .core.policy import Policy as Policy
    from .core.refusal import Refusal as Refusal
    from .core.refusal import RefusalKind as RefusalKind
    from .core.totals import Totals as Totals
    from .core.totals import totals as totals
    from .ports.errors import CredentialsRefused as CredentialsRefused
    from .ports.errors import HandshakeRefused as HandshakeRefused
    from .ports.errors import JournalRefused as JournalRefused
    from .ports.errors import ListenKeyError as ListenKeyError
    from .ports.errors import ReadFailed as ReadFailed
    from .ports.errors import RequestRefused as RequestRefused
    from .ports.errors import StreamStopped as StreamStopped
    from .ports.errors import TransportFailed as TransportFailed

__version__ = "0.2.0"

_EVENTS, _ERRORS = ".core.events", ".ports.errors"
_MODULES = {
    "AccountUpdate": _EVENTS,
    "Balance": _EVENTS,
    "BalanceChange": _EVENTS,
    "BlockingHttp": ".adapters.transports.blocking_http",
    "Book": ".core.book",
    "ConfigUpdate": _EVENTS,
    "Connection": ".core.connection",
    "CredentialsRefused": _ERRORS,
    "ExchangeEvent": _EVENTS,
    "ExchangeEventKind": _EVENTS,
    "Fill": _EVENTS,
    "FillRevised": _EVENTS,
    "FundingFee": _EVENTS,
    "GapNotice": _EVENTS,
    "GapReason": _EVENTS,
    "HandshakeRefused": _ERRORS,
    "Health": _EVENTS,
    "HealthChange": _EVENTS,
    "JournalRefused": _ERRORS,
    "ListenKeyError": _ERRORS,
    "OrderState": _EVENTS,
    "Policy": ".core.policy",
    "Position": _EVENTS,
    "ReadFailed": _ERRORS,
    "Refusal": ".core.refusal",
    "RefusalKind": ".core.refusal",
    "RequestRefused": _ERRORS,
    "State": ".core.link.lifecycle",
    "StreamStopped": _ERRORS,
    "SystemClock": ".adapters.driver.clock",
    "TaskExecutor": ".adapters.executors.tasks",
    "ThreadExecutor": ".adapters.executors.threads",
    "Totals": ".core.totals",
    "TransportFailed": _ERRORS,
    "Unknown": _EVENTS,
    "Venue": ".adapters.driver.venue",
    "actions": ".core",
    "family": ".adapters.venues.registry",
    "inputs": ".core",
    "open_venue": ".adapters.driver.venue",
    "totals": ".core.totals",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(_MODULES[name], __name__)
    value = getattr(home, name) if hasattr(home, name) else import_module(f".{name}", home.__name__)
    return globals().setdefault(name, value)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
