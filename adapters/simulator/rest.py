"""Answers of the REST endpoints that read. Signatures, limits and faults are the gateway's."""

from __future__ import annotations

from .depth import Depth
from .exchange import Exchange
from .holdings import Holdings
from .queries import Params
from .quotes import Quotes
from .records import ClosedStops, FillShape, FillWindows, Records
from .routes import CLEAR, Route, Sight
from .rows import IncomeTrades, Row


class Rest:
    """Reads an exchange and the book of its market. Raises `OrderRefused` for a call that the venue refuses."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        depth: Depth | None = None,
        fill_shape: FillShape = "documented",
        symbol_required: bool = False,
        symbol_ignored: bool = False,
        signed_shorts: bool = False,
        closed_stops: ClosedStops = "listed",
        income_trades: IncomeTrades = "named",
        fill_rows: int | None = None,
        fill_windows: FillWindows = "exact",
    ) -> None:
        if income_trades not in {"named", "foreign", "bare"}:
            raise ValueError(f"income trades are named, foreign or bare, not {income_trades!r}")
        self.holdings = Holdings(exchange, signed_shorts=signed_shorts, income_trades=income_trades)
        records = Records(
            exchange,
            fill_shape=fill_shape,
            symbol_required=symbol_required,
            symbol_ignored=symbol_ignored,
            closed_stops=closed_stops,
            fill_rows=fill_rows,
            fill_windows=fill_windows,
        )
        quotes = Quotes(exchange, depth or Depth(exchange.market, seed=exchange.seed))
        self.routes: dict[str, Route] = {**quotes.routes, **self.holdings.routes, **records.routes}

    def knows(self, path: str) -> bool:
        """True if there is such an endpoint."""
        return path in self.routes

    def answer(self, path: str, params: Params, now: int, sight: Sight = CLEAR) -> Row:
        """The whole body, in its envelope; that of the position mode contains the time."""
        data = self.routes[path](params, now, sight)
        if path.endswith("/dual"):
            return {"code": 0, "msg": "", "timeStamp": now, "data": data}
        return {"code": 0, "msg": "", "data": data}
