"""Answers about the account: balances, positions, income, modes, leverage, fees."""

from __future__ import annotations

from ..account import MAKER_FEE, TAKER_FEE, PositionView
from ..amounts import ZERO, booked, plain
from ..book import Income
from ..exchange import Exchange
from ..margin import Margin
from ..rows import MAINTENANCE
from ..rules import MOST_LEVERAGE
from . import words
from .errors import Refusal
from .positionrows import Money, asset_row, balance_row, position_row, risk_row, totals
from .readings import Readings
from .records import MONTHS_MS, Records
from .routes import WEEK_MS, Params, Route, Sight, limit, required, whole
from .rows import INCOME, Row, income_row

ASSETS = ("USDT", "USDC", "BNB")
"""Assets that are listed even if the account has none of them."""
SECOND_MS = 1000
ORDINARY = frozenset({"REALIZED_PNL", "TRADING_FEE"})


class Holdings:
    """Reads the account's money, positions and settings."""

    def __init__(self, exchange: Exchange, records: Records, readings: Readings) -> None:
        self._exchange = exchange
        self._records = records
        self._readings = readings
        self._margin = Margin(exchange)
        self.multi_assets = False
        """True if the account shows the multi-assets mode, in which all assets together are margin."""
        one = ("symbol",)
        self.routes = {
            "GET /fapi/v2/balance": Route(self._balances, (), 5),
            "GET /fapi/v3/balance": Route(self._balances, (), 5),
            "GET /fapi/v2/account": Route(lambda *asked: self._account(*asked, all_of_them=True), (), 5),
            "GET /fapi/v3/account": Route(self._account, (), 5),
            "GET /fapi/v2/positionRisk": Route(lambda *asked: self._risk(*asked, all_of_them=True), one, 5),
            "GET /fapi/v3/positionRisk": Route(self._risk, one, 5),
            "GET /fapi/v1/income": Route(self._income, (*one, "incomeType", "startTime", "endTime", "limit"), 30),
            "GET /fapi/v1/positionSide/dual": Route(lambda *asked: {"dualSidePosition": exchange.hedge}, (), 30),
            "GET /fapi/v1/multiAssetsMargin": Route(self._assets_mode, (), 30),
            "GET /fapi/v1/accountConfig": Route(self._configuration, (), 5),
            "GET /fapi/v1/symbolConfig": Route(self._symbols, one, 5),
            "GET /fapi/v1/leverageBracket": Route(self._brackets, one, 1),
            "GET /fapi/v1/commissionRate": Route(self._fees, one, 20),
        }

    def _balances(self, params: Params, now: int, sight: Sight) -> list[Row]:
        return [balance_row(self._money(asset, now), words.alias(self._exchange.uid), now) for asset in self._assets()]

    def _account(self, params: Params, now: int, sight: Sight, *, all_of_them: bool = False) -> Row:
        money = [self._money(asset, now) for asset in self._assets()]
        held = self._positions(None, all_of_them, now)
        found = totals(money[0])
        if all_of_them:
            configuration = self._configuration(params, now, sight)
            found |= {name: configuration[name] for name in configuration if name != "dualSidePosition"}
        assets = [asset_row(each, now) for each in money]
        return found | {"assets": assets, "positions": [position_row(each, all_of_them) for each in held]}

    def _risk(self, params: Params, now: int, sight: Sight, *, all_of_them: bool = False) -> list[Row]:
        symbol = self._records.symbol(params)
        return [risk_row(each, all_of_them) for each in self._positions(symbol, all_of_them, now)]

    def _positions(self, symbol: str | None, all_of_them: bool, now: int) -> list[PositionView]:
        """The positions that are held, and flat ones of symbols with open orders or, with `all_of_them`, of all."""
        exchange, account = self._exchange, self._exchange.account
        sides = ("LONG", "SHORT") if exchange.hedge else ("BOTH",)
        busy = {each.symbol for each in exchange.open.values() if not words.is_algo(each)}
        found = []
        for name in exchange.market.instruments if symbol is None else (symbol,):
            for side in sides:
                position = account.position(name, side)
                if position.qty or all_of_them or name in busy:
                    found.append(account.view(position, now))
        return found

    def _assets(self) -> list[str]:
        wallets = self._exchange.account.book.wallets
        return list(dict.fromkeys((*(name for name in ASSETS if name in wallets), *wallets, *ASSETS)))

    def _money(self, asset: str, now: int) -> Money:
        exchange = self._exchange
        if asset not in exchange.account.book.wallets:
            return Money(asset)
        view = exchange.account.balance(asset)
        held = [each for each in exchange.positions(now) if each.asset == asset]
        return Money(
            asset,
            wallet=view.wallet,
            cross=self._margin.cross_wallet(asset),
            unrealised=sum((each.unrealised for each in held), ZERO),
            available=max(self._margin.available(asset, now), ZERO),
            bound=view.wallet - view.free,
            frozen=exchange.frozen(asset),
            maintenance=booked(sum((abs(each.qty) * each.mark * MAINTENANCE for each in held), ZERO)),
        )

    def _income(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol, kind, most = self._records.symbol(params), params.get("incomeType") or None, limit(params, 100, 1000)
        start, end = whole(params, "startTime"), whole(params, "endTime")
        last = now if end is None else end
        begin = last - WEEK_MS if start is None else start
        if begin > last:
            raise Refusal(-1023, "Start time is greater than end time.")
        begin, until = max(begin, now - MONTHS_MS), last + (self._readings.window_end == "included")
        late = sight.income_until
        rows = [
            income_row(each, as_text=self._readings.transaction == "text")
            for each in self._booked()
            if begin - SECOND_MS < each.ts < until + SECOND_MS
            and symbol in {None, each.symbol}
            and kind in {None, INCOME.get(each.type, each.type)}
            and (late is None or each.ts <= late or each.type not in ORDINARY)
        ]
        shown = [row for row in rows if begin <= row["time"] < until]
        newest = self._readings.full_page == "newest" or (start is None and end is None)
        return shown[-most:] if newest else shown[:most]

    def _booked(self) -> list[Income]:
        """All bookings, oldest first; also fees of 0 if the reading `free_fills` gives them a row."""
        income = self._exchange.account.book.income
        if self._readings.free_fills == "no_row":
            return income
        free = [each for each in self._exchange.fills if not each.fee]
        rows = [
            Income(
                type="TRADING_FEE",
                asset=each.asset,
                symbol=each.symbol,
                amount=ZERO,
                tran_id=f"_{each.trade_id}",
                trade_id=str(each.trade_id),
                info="",
                ts=each.ts,
            )
            for each in free
        ]
        return sorted([*income, *rows], key=lambda each: each.ts)

    def _configuration(self, params: Params, now: int, sight: Sight) -> Row:
        may = {"canTrade": True, "canDeposit": True, "canWithdraw": True}
        modes = {"dualSidePosition": self._exchange.hedge, "updateTime": 0}
        return {"feeTier": 0, **may, **modes, "multiAssetsMargin": self.multi_assets, "tradeGroupId": -1}

    def _assets_mode(self, params: Params, now: int, sight: Sight) -> Row:
        return {"multiAssetsMargin": self.multi_assets}

    def _symbols(self, params: Params, now: int, sight: Sight) -> list[Row]:
        account, symbol = self._exchange.account, self._records.symbol(params)
        return [
            {
                "symbol": name,
                "marginType": "ISOLATED" if words.is_isolated(account.margin_mode[name]) else "CROSSED",
                "isAutoAddMargin": False,
                "leverage": long,
                "maxNotionalValue": "100000000",
            }
            for name, (long, _) in account.leverage.items()
            if symbol in {None, name}
        ]

    def _brackets(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol = self._records.symbol(params)
        one = {
            "bracket": 1,
            "initialLeverage": MOST_LEVERAGE,
            "notionalCap": 100_000_000,
            "notionalFloor": 0,
            "maintMarginRatio": float(MAINTENANCE),
            "cum": 0.0,
        }
        listed = self._exchange.market.instruments
        return [{"symbol": name, "brackets": [one]} for name in listed if symbol in {None, name}]

    def _fees(self, params: Params, now: int, sight: Sight) -> Row:
        required(params, "symbol")
        rates = {"makerCommissionRate": plain(MAKER_FEE), "takerCommissionRate": plain(TAKER_FEE)}
        return {"symbol": self._records.symbol(params), **rates, "rpiCommissionRate": "0"}
