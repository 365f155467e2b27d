"""Answers of the REST endpoints about the account: balances, positions, income, leverage, modes, fees."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import ROUND_DOWN

from .account import MAKER_FEE, TAKER_FEE
from .amounts import ZERO, plain
from .closings import closings
from .exchange import Exchange
from .margin import Margin
from .positionrows import closing_row, position_row
from .queries import QUARTER_MS, Params, integer, required, row_limit, symbol_of, time_of, window
from .routes import Route, Sight
from .rows import MAINTENANCE, IncomeTrades, Row, balance_row, empty_balance_row, income_row
from .rules import MOST_LEVERAGE, check_symbol


class Holdings:
    """Reads the account's money, positions and settings."""

    def __init__(self, exchange: Exchange, *, signed_shorts: bool, income_trades: IncomeTrades) -> None:
        self._exchange = exchange
        self._margin = Margin(exchange)
        self._signed_shorts = signed_shorts
        self._income_trades = income_trades
        one = ("symbol",)
        self.routes = {
            "/openApi/swap/v3/user/balance": Route(self._balances),
            "/openApi/swap/v2/user/balance": Route(self._balance),
            "/openApi/swap/v2/user/positions": Route(self._positions, one),
            "/openApi/swap/v1/positionSide/dual": Route(self._mode),
            "/openApi/swap/v2/user/commissionRate": Route(self._fees),
            "/openApi/swap/v2/trade/leverage": Route(self._leverage, one),
            "/openApi/swap/v2/trade/marginType": Route(self._margin_type, one),
            "/openApi/swap/v1/maintMarginRatio": Route(self._tiers, one),
            "/openApi/swap/v1/trade/positionHistory": Route(
                self._closed, ("symbol", "positionId", "startTs", "endTs", "pageIndex", "pageSize")
            ),
            "/openApi/swap/v2/user/income": Route(
                self._income, ("symbol", "incomeType", "startTime", "endTime", "limit")
            ),
        }

    def _balances(self, params: Params, now: int, sight: Sight) -> list[Row]:
        wallets = self._exchange.account.book.wallets
        if sight.empty_amounts:
            return [empty_balance_row(asset) for asset in dict.fromkeys((*wallets, "USDC"))]
        rows = [self._balance_row(asset, now) for asset in wallets]
        return rows if "USDC" in wallets else [*rows, empty_balance_row("USDC")]

    def _balance(self, params: Params, now: int, sight: Sight) -> Row:
        return {"balance": empty_balance_row("USDT") if sight.empty_amounts else self._balance_row("USDT", now)}

    def _balance_row(self, asset: str, now: int) -> Row:
        exchange = self._exchange
        held = (each.unrealised for each in exchange.positions(now) if each.asset == asset)
        account, frozen = exchange.account, exchange.frozen(asset)
        return balance_row(
            account.balance(asset), sum(held, ZERO), frozen, account.book.wallet(asset).pnl, exchange.uid
        )

    def _positions(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol = symbol_of(params, self._exchange.market)
        held = self._exchange.positions(now)
        signed = self._signed_shorts
        return [position_row(each, signed_shorts=signed) for each in held if symbol in {None, each.symbol}]

    def _mode(self, params: Params, now: int, sight: Sight) -> Row:
        return {"dualSidePosition": "true" if self._exchange.hedge else "false"}

    def _fees(self, params: Params, now: int, sight: Sight) -> Row:
        return {"commission": {"takerCommissionRate": TAKER_FEE, "makerCommissionRate": MAKER_FEE}}

    def _leverage(self, params: Params, now: int, sight: Sight) -> Row:
        return self.leverage_row(self._symbol(params), now)

    def leverage_row(self, symbol: str, now: int) -> Row:
        """The leverage of a symbol, and the quantity and value that may be opened with it."""
        exchange = self._exchange
        instrument, price = exchange.market.instruments[symbol], exchange.market.price(symbol, now)
        long, short = exchange.account.leverage[symbol]
        free = max(self._margin.available(instrument.asset, now), ZERO)
        worth = {"Long": free * long, "Short": free * short}
        return {
            "symbol": symbol,
            "longLeverage": long,
            "shortLeverage": short,
            "maxLongLeverage": MOST_LEVERAGE,
            "maxShortLeverage": MOST_LEVERAGE,
            **{
                f"available{side}Vol": plain((each / price).quantize(instrument.step, ROUND_DOWN))
                for side, each in worth.items()
            },
            **{f"available{side}Val": f"{each:.4f}" for side, each in worth.items()},
        }

    def _margin_type(self, params: Params, now: int, sight: Sight) -> Row:
        mode = self._exchange.account.margin_mode[self._symbol(params)]
        return {"marginType": "ISOLATED" if mode == "isolated" else "CROSSED"}

    def _tiers(self, params: Params, now: int, sight: Sight) -> list[Row]:
        """A single tier without an upper limit."""
        return [
            {
                "tier": "Tier 1",
                "symbol": self._symbol(params),
                "minPositionVal": "0",
                "maxPositionVal": "",
                "maintMarginRatio": plain(MAINTENANCE),
                "maintAmount": "0",
            }
        ]

    def _closed(self, params: Params, now: int, sight: Sight) -> Row:
        """Positions closed within the window, newest first."""
        symbol, wanted, account = self._symbol(params), params.get("positionId"), self._exchange.account
        start, end = window(params, now, "startTs", "endTs", QUARTER_MS)
        page, size = max(integer(params, "pageIndex", 1), 1), row_limit(params, "pageSize", 100)
        over = closings(self._exchange.fills, self._exchange.settlements)
        rows = [
            closing_row(each, account.leverage[symbol][each.side == "SHORT"], account.margin_mode[symbol])
            for each in reversed(over)
            if each.symbol == symbol and start <= each.closed <= end
        ]
        found = [row for row in rows if wanted in {None, "", row["positionId"]}]
        return {"positionHistory": found[(page - 1) * size : page * size], "total": len(found)}

    def _income(self, params: Params, now: int, sight: Sight) -> list[Row]:
        """Income rows, newest first, as captured."""
        symbol = symbol_of(params, self._exchange.market)
        start, end = window(params, now, "startTime", "endTime", QUARTER_MS)
        start = max(start, now - QUARTER_MS)
        limit = row_limit(params, "limit", 100)
        kind = params.get("incomeType")
        rows = self._exchange.account.book.income
        first = bisect_left(rows, start, key=time_of)
        last = bisect_right(rows, end, key=time_of)
        lagging = sight.fills_until if sight.lag_income else None
        found = [
            each
            for each in rows[first:last]
            if kind in {None, each.type}
            and symbol in {None, each.symbol}
            and (lagging is None or each.ts <= lagging or each.type not in {"REALIZED_PNL", "TRADING_FEE"})
        ]
        return [income_row(each, self._income_trades) for each in found[: -limit - 1 : -1]]

    def _symbol(self, params: Params) -> str:
        return check_symbol(self._exchange.market, required(params, "symbol"))
