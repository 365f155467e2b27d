"""Frames and answers give equity, margin and their time; a figure that they do not have is None, not 0."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import Any, get_args

import pytest

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.rest import Rest
from listenkey.adapters.simulator.wire import Wire, WireName, packed
from listenkey.adapters.venues.bingx import facts
from listenkey.adapters.venues.bingx.rows import balances, income, positions
from listenkey.adapters.venues.bingx.spot import SpotDialect
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core.events import Balance, Position
from listenkey.core.reports import AccountReport, IncomeReport

BEGIN = 1_758_608_899_123
D = Decimal
CAPTURED: dict[str, Any] = {
    "e": "ACCOUNT_UPDATE",
    "E": 1758608899352,
    "a": {
        "m": "ORDER",
        "B": [{"a": "USDT", "wb": "117.80007595", "cw": "95.23045595", "bc": "0"}],
        "P": [
            {
                "s": "BTC-USDT",
                "pa": "0.00100000",
                "ep": "112848.10000000",
                "up": "-0.00004435",
                "mt": "cross",
                "iw": "22.56957565",
                "ps": "SHORT",
                "cr": "-0.05642405",
            }
        ],
    },
}
WORTH = ("available", "equity", "unrealized_pnl", "used_margin", "maintenance_margin")


def heard(frame: dict[str, Any], *, as_text: bool = False) -> AccountReport:
    text = json.dumps(frame, separators=(",", ":"))
    (report,) = SwapDialect().decode(text if as_text else text.encode())
    assert isinstance(report, AccountReport)
    return report


@pytest.mark.parametrize("as_text", [False, True], ids=["in one pass", "patiently"])
@pytest.mark.parametrize("event", ["ACCOUNT_UPDATE", "SNAPSHOT"])
def test_a_push_says_the_wallet_and_of_a_position_what_it_gained(event: str, as_text: bool) -> None:
    """A pushed account has wallet balances and positions with PnL, but no equity, margin, mark or liquidation price."""
    report = heard({**CAPTURED, "e": event}, as_text=as_text)
    assert report.balances == (Balance(asset="USDT", wallet_balance=D("117.80007595"), change=D(0)),)
    assert report.positions == (
        Position(
            symbol="BTC-USDT",
            side="SHORT",
            qty=D("0.001"),
            entry_price=D("112848.1"),
            unrealized_pnl=D("-0.00004435"),
            margin_mode="cross",
        ),
    )


@pytest.mark.parametrize("as_text", [False, True], ids=["in one pass", "patiently"])
@pytest.mark.parametrize(
    ("times", "of"), [({"T": 5, "E": 7}, 5), ({"E": 7}, 7), ({"T": 0, "E": 7}, 7), ({"E": 0}, None)]
)
def test_a_push_is_of_its_transaction_else_of_its_event(times: dict[str, int], of: int | None, as_text: bool) -> None:
    """A push has the time of its transaction, else of its event, else None."""
    body = {name: value for name, value in CAPTURED.items() if name != "E"}
    assert heard({**body, **times}, as_text=as_text).exchange_ts == of


def test_what_the_venue_says_of_its_own_times_and_figures() -> None:
    """Lists have times in whole seconds; spot's available balance is a figure of its own, and swap's is derived."""
    assert (SwapDialect().time_grain_ms, SwapDialect().counts_available) == (1000, False)
    assert (SpotDialect().time_grain_ms, SpotDialect().counts_available) == (1000, True)


def test_what_the_venue_bears_is_said_once() -> None:
    """The pace and the dialects have the same limit on failing calls, below the venue's 20 in 480 s."""
    assert SwapDialect().failing_calls is SpotDialect().failing_calls is facts.FAILING_CALLS
    assert facts.FAILING_CALLS.calls < 20
    assert facts.FAILING_CALLS.window >= 480


@pytest.mark.parametrize("as_text", [False, True], ids=["in one pass", "patiently"])
@pytest.mark.parametrize(
    ("cause", "by_fill", "funding"),
    [("ORDER", True, False), ("FUNDING_FEE", False, True), ("WITHDRAW", False, False), ("", False, False)],
)
def test_what_caused_a_push(cause: str, by_fill: bool, funding: bool, as_text: bool) -> None:
    """A push keeps the venue's word for its cause, beside the flags `by_fill` and `funding`."""
    report = heard({**CAPTURED, "a": {**CAPTURED["a"], "m": cause}}, as_text=as_text)
    assert (report.reason, report.by_fill, report.funding) == (cause or None, by_fill, funding)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("TRADING_FEE", "fee"), ("REALIZED_PNL", "pnl"), ("FUNDING_FEE", "funding"), ("TRANSFER", "other")],
)
def test_what_income_means(word: str, kind: str) -> None:
    """Income types are fees, PnL, funding, or other."""
    row = income({"incomeType": word, "income": "-1.5", "time": 1_700_000_000_000, "tranId": "7", "asset": "USDT"})
    assert isinstance(row, IncomeReport)
    assert (row.income_type, row.kind) == (word, kind)


@pytest.mark.parametrize("wire", get_args(WireName))
@pytest.mark.parametrize("hedge", [True, False], ids=["hedge", "one way"])
def test_the_simulated_exchange_says_the_same_in_answers_and_in_frames(hedge: bool, wire: WireName) -> None:
    """Answers have equity and margin that add up, and frames have the same positions and wallet without them."""
    exchange = Exchange(now=BEGIN, hedge=hedge)
    exchange.set_margin_mode("ETH-USDT", "isolated", now=BEGIN)
    for symbol, qty in (("BTC-USDT", "0.01"), ("ETH-USDT", "0.1")):
        exchange.trade(symbol, "BUY", D(qty), now=BEGIN, position_side="LONG" if hedge else None)
    rest = Rest(exchange)

    def answered(path: str) -> Any:
        return json.loads(
            json.dumps(rest.answer(f"/openApi/swap/{path}", {}, BEGIN + 50)["data"], default=float), parse_float=D
        )

    rows = positions(answered("v2/user/positions"))
    held = {each.symbol: each for each in rows if isinstance(each, Position)}
    (usdt,) = (each for each in balances(answered("v3/user/balance"), {"USDT"}) if each.asset == "USDT")
    btc, eth = held["BTC-USDT"], held["ETH-USDT"]
    assert None not in [getattr(usdt, name) for name in WORTH[:-1]]
    assert usdt.maintenance_margin is None
    assert usdt.wallet_balance is not None
    assert usdt.unrealized_pnl is not None
    assert usdt.equity == usdt.wallet_balance + usdt.unrealized_pnl
    assert usdt.unrealized_pnl == sum(each.unrealized_pnl or 0 for each in held.values())
    assert (btc.mark_price is not None, btc.liquidation_price) == (True, None)
    assert eth.liquidation_price is not None
    assert eth.entry_price is not None
    assert 0 < eth.liquidation_price < eth.entry_price
    frames = [Wire(wire).frame(push) for push in exchange.due(BEGIN + 50)]
    frames += Wire(wire).snapshot([exchange.account.balance("USDT")], exchange.positions(BEGIN + 50), [], BEGIN + 50)
    reports = [report for frame in frames for report in SwapDialect().decode(gzip.decompress(packed(frame)))]
    accounts = [report for report in reports if isinstance(report, AccountReport)]
    assert accounts
    for report in accounts:
        assert [getattr(each, name) for each in report.balances for name in WORTH] == [None] * 5 * len(report.balances)
        for each in report.positions:
            assert each.unrealized_pnl is not None
            assert (each.mark_price, each.liquidation_price) == (None, None)
            assert (each.qty, each.entry_price) == (held[each.symbol].qty, held[each.symbol].entry_price)
    assert accounts[-1].balances[0].wallet_balance == usdt.wallet_balance
