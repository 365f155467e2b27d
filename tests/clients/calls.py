"""Makes every call of ccxt that a bot may make, for the comparison with the table in the documentation."""

from __future__ import annotations

from typing import Any

from . import calling, ccxt
from .bot import REFUSED
from .calling import BTC, Listed, Requests
from .stepped import stepped

CODE = r"\d{6}"


def documented() -> dict[str, str]:
    """Return the results in the table by call: `works`, or the code with which the call is refused."""
    return calling.documented("trading-against-it.md", CODE)


async def made(*, hedge: bool) -> dict[str, str]:
    """Make all calls; return the result of each."""
    async with stepped(seed=1, hedge=hedge) as exchange, ccxt.client(exchange) as client:
        client.enableRateLimit = False
        return await calling.made(Calls(client, hedge=hedge).listed(), REFUSED)


class Calls(Requests):
    """The calls on BingX's wire."""

    def __init__(self, client: Any, *, hedge: bool) -> None:
        super().__init__(client, hedge=hedge, edit={"hedged": True} if hedge else {})

    def listed(self) -> Listed:
        """Return the calls by their names in the table, in an order in which each one is possible."""
        client, order, leave = self.client, self.order, self.leave
        leg = {"triggerPrice": 60_000}
        return [
            ("load_markets", client.load_markets),
            ("fetch_time", client.fetch_time),
            ("fetch_ticker", lambda: client.fetch_ticker(BTC)),
            ("fetch_tickers", client.fetch_tickers),
            ("fetch_bids_asks", lambda: client.fetch_bids_asks([BTC])),
            ("fetch_order_book", lambda: client.fetch_order_book(BTC, 50)),
            ("fetch_trades", lambda: client.fetch_trades(BTC)),
            ("fetch_ohlcv", lambda: client.fetch_ohlcv(BTC, "1h", None, 100)),
            ("fetch_mark_price", lambda: client.fetch_mark_price(BTC)),
            ("fetch_mark_prices", client.fetch_mark_prices),
            ("fetch_funding_rate", lambda: client.fetch_funding_rate(BTC)),
            ("fetch_funding_rates", client.fetch_funding_rates),
            ("fetch_funding_rate_history", lambda: client.fetch_funding_rate_history(BTC)),
            ("fetch_open_interest", lambda: client.fetch_open_interest(BTC)),
            ("fetch_mark_ohlcv", lambda: client.fetch_ohlcv(BTC, "1h", None, 100, {"price": "mark"})),
            ("watch_ticker", lambda: client.watch_ticker(BTC)),
            ("watch_trades", lambda: client.watch_trades(BTC)),
            ("watch_order_book", lambda: client.watch_order_book(BTC)),
            ("watch_ohlcv", lambda: client.watch_ohlcv(BTC, "1m")),
            ("fetch_balance", client.fetch_balance),
            ("fetch_position_mode", client.fetch_position_mode),
            ("set_position_mode", lambda: client.set_position_mode(self.hedge)),
            ("fetch_leverage", lambda: client.fetch_leverage(BTC)),
            ("set_leverage", lambda: client.set_leverage(9, BTC, {"side": "LONG" if self.hedge else "BOTH"})),
            ("fetch_margin_mode", lambda: client.fetch_margin_mode(BTC)),
            ("set_margin_mode", lambda: client.set_margin_mode("cross", BTC)),
            ("fetch_trading_fee", lambda: client.fetch_trading_fee(BTC)),
            ("fetch_market_leverage_tiers", lambda: client.fetch_market_leverage_tiers(BTC)),
            ("create_order market", lambda: order("market", "buy")),
            ("create_order limit", lambda: order("limit", "buy", 60_000, clientOrderId="Mine")),
            ("create_order postOnly", lambda: order("limit", "buy", 60_000, postOnly=True)),
            ("create_order IOC", lambda: order("limit", "buy", 60_000, timeInForce="IOC")),
            ("create_order FOK", lambda: order("limit", "buy", 66_000, timeInForce="FOK")),
            ("create_order reduceOnly", lambda: order("limit", "sell", 70_000, reduceOnly=True)),
            ("create_order triggerPrice", lambda: order("market", "buy", triggerPrice=66_000)),
            ("create_order stopLossPrice", lambda: leave("market", stopLossPrice=60_000)),
            ("create_order stopLossPrice, limit", lambda: leave("limit", 59_900, stopLossPrice=60_000)),
            ("create_order takeProfitPrice", lambda: leave("market", takeProfitPrice=70_000)),
            ("create_order trailingPercent", lambda: leave("market", trailingPercent=1)),
            ("create_order trailingAmount", lambda: leave("market", trailingAmount=100)),
            ("create_order closePosition", lambda: leave("market", closePosition=True, takeProfitPrice=80_000)),
            ("create_order stopLoss", lambda: order("market", "buy", stopLoss=leg)),
            ("create_order test", lambda: order("market", "buy", test=True)),
            ("create_order twap", lambda: order("twap", "buy", triggerPrice=60_000)),
            ("create_order TRAILING_TP_SL", lambda: leave("market", trailingPercent=1, trailingType="TRAILING_TP_SL")),
            ("create_order stopGuaranteed", lambda: leave("market", stopLossPrice=60_000, stopGuaranteed="true")),
            (
                "create_market_order_with_cost",
                lambda: client.create_market_order_with_cost(BTC, "buy", 100, {**self.mode}),
            ),
            ("create_orders", self.several),
            ("edit_order", self.edit),
            ("cancel_order", self.cancel),
            ("cancel_order clientOrderId", lambda: client.cancel_order(None, BTC, {"clientOrderId": "mine"})),
            ("cancel_orders", self.cancel_several),
            ("cancel_all_orders", lambda: client.cancel_all_orders(BTC)),
            ("cancel_all_orders_after", lambda: client.cancel_all_orders_after(20_000)),
            ("fetch_order", self.fetch),
            ("fetch_orders", lambda: client.fetch_orders(BTC)),
            ("fetch_open_orders", lambda: client.fetch_open_orders(BTC)),
            ("fetch_closed_orders", lambda: client.fetch_closed_orders(BTC)),
            ("fetch_canceled_orders", lambda: client.fetch_canceled_orders(BTC)),
            ("fetch_canceled_and_closed_orders", lambda: client.fetch_canceled_and_closed_orders(BTC)),
            ("fetch_my_trades", lambda: client.fetch_my_trades(BTC)),
            ("fetch_my_liquidations", lambda: client.fetch_my_liquidations(BTC)),
            ("fetch_funding_history", lambda: client.fetch_funding_history(BTC)),
            ("fetch_positions", client.fetch_positions),
            ("fetch_position", lambda: client.fetch_position(BTC)),
            ("fetch_position_history", lambda: client.fetch_position_history(BTC)),
            ("add_margin", lambda: client.add_margin(BTC, 1)),
            ("close_position", self._close),
            ("close_all_positions", client.close_all_positions),
        ]

    async def _close(self) -> None:
        (position, *_others) = await self.client.fetch_positions()
        await self.client.close_position(BTC, None, {"positionId": position["id"]})
