"""The settings of a simulated venue, each with its meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypedDict

from .codes import Codes
from .faults import Fault
from .market import Instrument
from .orders import Triggered
from .pricefile import Source
from .records import ClosedStops, FillShape, FillWindows
from .rows import IncomeTrades
from .wire import EventName, WireName

DEFAULT = "simulated"
"""The default API key and secret."""


class Settings(TypedDict, total=False):
    """The arguments of `Venue`, for callers that pass them on."""

    seed: int
    api_key: str
    api_secret: str
    credentials: Mapping[str, str]
    """More API keys of the same account, each with its secret. Limits per account count them together."""
    credentials_hint: str | None
    """A text in refusals of credentials about where the right ones are. By default it names the default ones."""
    time_scale: float
    """Exchange seconds per real second. With 0 only `advance` moves exchange time, and everything that happens depends
    on the seed and the calls alone."""
    fills_per_second: float
    """The rate of seeded activity per real second, or per exchange second if `time_scale` is 0; 0 is none."""
    faults: Iterable[Fault | str]
    """Planned faults, by real seconds since the venue was made."""
    hedge: bool
    """True for hedge mode, with positions per side; else one-way mode."""
    wire: WireName
    event_name: EventName
    """The event name in frames of orders: one name for all, or `mixed`."""
    account_id: str
    """The `userId` of a balance row."""
    triggered: Triggered
    closed_stops: ClosedStops
    """How a conditional order is shown after its end. If it is `unknown`, it is in no list, and a query of its id finds
    nothing; the order that executed in its place is listed."""
    signed_shorts: bool
    """True if REST gives a short's amount a minus in one-way mode; pushes always do."""
    income_trades: IncomeTrades
    fill_rows: int | None
    """The number of fills, the newest ones, that `fillHistory` shows of a window; all by default."""
    fill_windows: FillWindows
    """A window of fills compares their `exact` times, or the whole `seconds` that rows show."""
    fill_shape: FillShape
    symbol_required: bool
    """True if `fillHistory` refuses a call without a symbol, as in one version of the documentation."""
    symbol_ignored: bool
    """True if `openOrders` ignores the symbol, as was reported."""
    codes: Codes
    """The error codes since October 2025, or the former."""
    wrapped_keys: bool
    """True if a minted key comes in an envelope."""
    instruments: Iterable[Instrument] | None
    prices: Source | Iterable[Source]
    """Files of prices, each `FILE`, for BTC-USDT, or `SYMBOL=FILE`: CSV of trades or candles, replayed from the start
    on, in place of the seeded price."""
    opening: Mapping[str, Decimal] | None
    """Wallets at the start, by asset; 100000 of each margin asset by default."""
    ping_interval: float | None
    """Real seconds between pings; 0 is never, None the venue's own. A socket is dropped if a ping is unanswered for 6.1
    intervals on BingX (30.5 s with 5 s), for 3.3 intervals on Binance (10 minutes with 3)."""
    snapshot_on_connect: bool
    snapshot_interval: float
    """Real seconds between further snapshots; 0 is none."""
    config_interval: float
    """Real seconds between pushes of every symbol's configuration; 0 is none."""
    key_validity: float
    """Validity of a listen key, real seconds."""
    max_socket_age: float
    """Real seconds after which a socket is closed."""
    rate_limits: bool
    epoch_ms: int | None
    """Exchange time at the start; the host's wall clock by default."""
    venue: str
    """The venue whose wire it has: `bingx-swap` or `binance-usdm`. Settings of only one are refused on the other."""
    readings: Mapping[str, str]
    """The readings of unverified facts, by name: `binance/readings.py` lists them."""


def hint_of(api_key: str, api_secret: str) -> str:
    """Return the hint for refusals of credentials: these if they are the default ones, else nothing."""
    if (api_key, api_secret) != (DEFAULT, DEFAULT):
        return ""
    return f'this exchange takes its defaults, as its first line says: API key "{DEFAULT}", secret "{DEFAULT}"'
