"""The settings of a simulated venue, each with what it is."""

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
"""The API key and the secret of whoever sets none."""


class Settings(TypedDict, total=False):
    """The arguments of `Venue`, for those who pass them on."""

    seed: int
    api_key: str
    api_secret: str
    credentials: Mapping[str, str]
    """More API keys of the same account, each with its secret. Limits per account count them together."""
    credentials_hint: str | None
    """Told to whoever is refused: where the right ones are. By default they are shown if they are the default."""
    time_scale: float
    """Exchange seconds per real second. With 0 exchange time stands still but for `advance`, and all that happens is a
    function of the seed and of what is done."""
    fills_per_second: float
    """The rate of seeded activity, per real second, or per exchange second where that clock stands; 0 is none."""
    faults: Iterable[Fault | str]
    """Scheduled ones, by real seconds since the venue was made."""
    hedge: bool
    """Positions per side, else one-way mode."""
    wire: WireName
    event_name: EventName
    """The event of an order's frames: one name for all, or `mixed`."""
    account_id: str
    """The `userId` of a balance row."""
    triggered: Triggered
    closed_stops: ClosedStops
    """The way in which a conditional order that is over is shown. One that is `unknown` is in no list, and asked for by
    its id it does not exist; the order that executed in its place is listed."""
    signed_shorts: bool
    """True if the amount of a short has a minus in one-way mode, by REST; pushes always have it."""
    income_trades: IncomeTrades
    fill_rows: int | None
    """How many fills of a window `fillHistory` knows, the newest; all by default."""
    fill_windows: FillWindows
    """The times by which a window of fills goes: their `exact` ones, or the whole `seconds` that rows show."""
    fill_shape: FillShape
    symbol_required: bool
    """True if `fillHistory` refuses a call without a symbol, as one copy of the documentation says."""
    symbol_ignored: bool
    """True if `openOrders` ignores the symbol, as was reported."""
    codes: Codes
    """The error codes since October 2025, or the former."""
    wrapped_keys: bool
    """True if a minted key comes in an envelope."""
    instruments: Iterable[Instrument] | None
    prices: Source | Iterable[Source]
    """Files of prices, each `FILE`, which is of BTC-USDT, or `SYMBOL=FILE`: CSV of trades or candles, in place of the
    price that follows from the seed. They are repeated from the start on."""
    opening: Mapping[str, Decimal] | None
    """Wallets at the start, by asset; 100000 of each margin asset by default."""
    ping_interval: float | None
    """Real seconds; 0 is never, by default what is the venue's. On BingX a ping unanswered for 6.1 of them (30.5 s of
    5 s) drops the socket, on Binance one unanswered for 3.3 of them (10 minutes of 3)."""
    snapshot_on_connect: bool
    snapshot_interval: float
    """Real seconds between further snapshots; 0 is none."""
    config_interval: float
    """Real seconds between pushes of every symbol's configuration; 0 is none."""
    key_validity: float
    """Real seconds."""
    max_socket_age: float
    """Real seconds after which a socket is closed."""
    rate_limits: bool
    epoch_ms: int | None
    """Exchange time at the start; the host's wall clock by default."""
    venue: str
    """Whose wire it speaks: `bingx-swap` or `binance-usdm`. What only one of them has is refused on the other."""
    readings: Mapping[str, str]
    """Of facts that nobody has verified, how they are read: `binance/readings.py` lists them."""


def hint_of(api_key: str, api_secret: str) -> str:
    """The hint for whoever is refused: the credentials where they are the default, else nothing."""
    if (api_key, api_secret) != (DEFAULT, DEFAULT):
        return ""
    return f'this exchange takes its defaults, as its first line says: API key "{DEFAULT}", secret "{DEFAULT}"'
