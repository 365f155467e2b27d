"""The account as delivered: balances, positions, funding, transfers and settings, newest value first."""

from __future__ import annotations

from typing import Any

import pytest

from listenkey.core import actions
from listenkey.core.account.funding import MATCH_MS
from listenkey.core.account.income import Income
from listenkey.core.account.recent import SIZE
from listenkey.core.account.view import AccountView, PushOutcome, ReadOutcome
from listenkey.core.context import Context
from listenkey.core.events import AccountUpdate, Balance, BalanceChange, FundingFee, Position
from listenkey.core.kinds import IncomeKind
from listenkey.core.policy import Policy
from listenkey.core.reports import Account, AccountReport, ConfigReport, IncomeReport

from ..exchange import INCOME, D
from ..trading import REFUSED, ready, trading


class Desk:
    """An `AccountView` and an `Income` with a context of their own, and the events that they delivered."""

    outcome: PushOutcome
    reading: ReadOutcome

    def __init__(self, grain: int = 1, *, available: bool = False) -> None:
        self.context = Context(Policy(), 0, grain=1000)
        self.context.now = 100.0
        self.view = AccountView(self.context, grain=grain, available=available)
        self.income = Income(self.context, self.view.funding)
        self._frames = 0

    def delivered(self) -> list[Any]:
        """The events delivered since the last call."""
        ordered, self.context.actions = self.context.actions, []
        return [action.event for action in ordered if isinstance(action, actions.Deliver)]

    def push(self, ts: int | None = 5, frame: str | None = None, link: int = 1, **fields: Any) -> list[Any]:
        self._frames += 1
        report = AccountReport(**{"reason": "ORDER", "balances": (), "positions": (), "exchange_ts": ts, **fields})
        arrived = self.context.exchange_time() or 0
        self.outcome = self.view.push(report, frame or f"frame {self._frames}", link=link, arrived_ts=arrived)
        return self.delivered()

    def read(self, as_of: int = 10, one_way: bool = False, **fields: Any) -> list[Any]:
        account = Account(as_of=as_of, exchange_ms=as_of, since=0, whole=True, settled=True, one_way=one_way, **fields)
        self.reading = self.view.read(account)
        self.income.read(account, 0)
        return self.delivered()


def balance(wallet: str | None, change: str | None = None, asset: str = "USDT") -> Balance:
    return Balance(
        asset=asset,
        wallet_balance=None if wallet is None else D(wallet),
        change=None if change is None else D(change),
    )


def position(side: str | None, qty: str, symbol: str = "BTC-USDT") -> Position:
    return Position(symbol=symbol, side=side, qty=D(qty))


def held(event: AccountUpdate) -> list[tuple[str | None, str]]:
    return [(entry.side, str(entry.qty)) for entry in event.positions]


@pytest.mark.parametrize(
    ("one_way", "pushes", "read", "then"),
    [
        pytest.param(False, [], [("LONG", "1")], [("LONG", "1")], id="as read"),
        pytest.param(False, [(5, "LONG", "2")], [("LONG", "1")], [("LONG", "1")], id="a push from before the read"),
        pytest.param(False, [(11, "LONG", "2")], [("LONG", "1")], [("LONG", "2")], id="a push from after it"),
        pytest.param(
            False, [(11, "SHORT", "2")], [("LONG", "1")], [("LONG", "1"), ("SHORT", "2")], id="hedge: the other side"
        ),
        pytest.param(False, [(11, "LONG", "0")], [("LONG", "1")], [], id="closed since"),
        pytest.param(False, [(11, "LONG", "2")], [], [("LONG", "2")], id="opened since"),
        pytest.param(True, [(11, "SHORT", "2")], [("LONG", "1")], [("SHORT", "2")], id="one way: turned round"),
        pytest.param(True, [(11, None, "0")], [("LONG", "1")], [], id="one way: closed since"),
        pytest.param(True, [(5, "SHORT", "2"), (4, "LONG", "1")], [], [], id="one way: closed before"),
        pytest.param(
            True, [(12, "SHORT", "2"), (11, "LONG", "1")], [], [("SHORT", "2")], id="pushes in the wrong order"
        ),
        pytest.param(
            False, [(12, "LONG", "2"), (11, "LONG", "1")], [], [("LONG", "2")], id="hedge, in the wrong order"
        ),
        pytest.param(True, [(11, "LONG", "1"), (12, None, "0")], [], [], id="opened and closed"),
    ],
)
def test_a_read_is_delivered_with_what_was_pushed_since_it_began(
    one_way: bool,
    pushes: list[tuple[int, str | None, str]],
    read: list[tuple[str, str]],
    then: list[tuple[str | None, str]],
) -> None:
    """The newest value of each position wins; in one-way mode a symbol has one side. No closed position is listed."""
    desk = Desk()
    for ts, side, qty in pushes:
        desk.push(ts, positions=(position(side, qty),), one_way=one_way)
    (event,) = desk.read(positions=tuple(position(*entry) for entry in read), one_way=one_way)
    assert held(event) == then
    assert event.complete
    assert event.source == "poll"


def test_balances_too_and_an_older_push_never_takes_one_back() -> None:
    """The newest balance of each asset wins; a push that is older than the last one is dropped."""
    desk = Desk()
    desk.push(12, balances=(balance("7"),))
    assert desk.push(11, balances=(balance("6"),)) == []
    (event,) = desk.read(balances=(balance("5"), balance("3", asset="BTC")))
    assert [(entry.asset, entry.wallet_balance) for entry in event.balances] == [("BTC", D(3)), ("USDT", D(7))]
    assert desk.view.wallet("USDT") == D(7)
    assert desk.view.wallet("EUR") is None


def test_a_push_without_a_time_is_the_newest_word() -> None:
    """It is stamped with its arrival, by the exchange's clock as we know it."""
    desk = Desk()
    desk.context.set_exchange_time(1000)
    desk.push(None, balances=(balance("7"),))
    (event,) = desk.read(as_of=900, balances=(balance("5"),))
    assert event.balances[0].wallet_balance == D(7)
    (event,) = desk.read(as_of=1100, balances=(balance("5"),))
    assert event.balances[0].wallet_balance == D(5)


def test_the_same_account_is_delivered_once() -> None:
    """A read or push equal to what was delivered, in any order of rows, is dropped; one that differs is delivered."""
    desk = Desk()
    rows = (balance("5"), balance("3", asset="BTC"))
    places = (position("LONG", "1"), position("SHORT", "2"), position(None, "0", "XRP-USDT"))
    assert len(desk.read(10, balances=rows, positions=places)) == 1
    assert desk.read(20, balances=rows[::-1], positions=places[::-1]) == []
    assert desk.push(25, balances=(balance("5"),)) == []
    assert desk.read(30, balances=rows, positions=places) == []
    assert len(desk.push(35, balances=(balance("6"),))) == 1
    assert len(desk.read(38, balances=rows, positions=places)) == 1
    assert len(desk.read(40, balances=rows, positions=())) == 1


@pytest.mark.parametrize(
    ("balances", "positions", "news"),
    [
        pytest.param((balance("5"),), (position("LONG", "1"),), False, id="as known"),
        pytest.param((balance("6"),), (), True, id="another balance"),
        pytest.param((balance("5", asset="BTC"),), (), True, id="an unknown asset"),
        pytest.param((), (position("LONG", "2"),), True, id="another quantity"),
        pytest.param((), (position("SHORT", "1"),), True, id="another side"),
        pytest.param((), (position("SHORT", "0"),), False, id="flat where nothing is held"),
    ],
)
def test_a_snapshot_is_delivered_when_it_says_something_new(
    balances: tuple[Balance, ...], positions: tuple[Position, ...], news: bool
) -> None:
    """A snapshot that repeats what is known is no event."""
    desk = Desk()
    desk.read(balances=(balance("5"),), positions=(position("LONG", "1"),))
    assert bool(desk.push(20, balances=balances, positions=positions, snapshot=True)) is news


def test_a_push_that_two_links_bring_is_delivered_once() -> None:
    """A frame that comes again is dropped, as long as its id is remembered."""
    desk = Desk()
    assert len(desk.push(1, "same", balances=(balance("5"),))) == 1
    assert desk.push(1, "same", balances=(balance("5"),)) == []
    for _ in range(SIZE):
        desk.push(1, balances=(balance("6"),))
    assert len(desk.push(1, "same", balances=(balance("5"),))) == 1


def test_settings_are_delivered_when_they_change() -> None:
    """A settings push equal to the last one of its symbol is no event."""
    desk = Desk()
    delivered = []
    for leverage, mode in ((5, "cross"), (5, "cross"), (6, "cross"), (6, "isolated"), (5, "cross")):
        report = ConfigReport(symbol="BTC-USDT", long_leverage=leverage, short_leverage=leverage, margin_mode=mode)
        desk.view.configure(report, "frame")
        delivered.append(len(desk.delivered()))
    assert delivered == [1, 0, 1, 1, 1]
    desk.view.configure(ConfigReport(symbol=None), "frame")
    (event,) = desk.delivered()
    assert (event.symbol, event.long_leverage, event.event_id.split(":")[0]) == (None, None, "config_update")


@pytest.mark.parametrize(
    ("wallet", "change", "before", "amount"),
    [
        pytest.param("9", "-1", None, "-1", id="the venue's own figure"),
        pytest.param("9", "0", "10", "-1", id="else the difference of balances"),
        pytest.param("9", None, "10", "-1", id="or where there is no figure at all"),
        pytest.param("9", "0", None, None, id="unknown, not 0"),
        pytest.param(None, None, "10", None, id="nothing to subtract from"),
    ],
)
def test_provisional_funding(wallet: str | None, change: str | None, before: str | None, amount: str | None) -> None:
    """The push's own change is the amount, else the difference of balances; if neither is known, no amount is given."""
    desk = Desk()
    if before is not None:
        desk.read(1, balances=(balance(before),))
    fee, *account = desk.push(5, balances=(balance(wallet, change),), funding=True)
    assert isinstance(fee, FundingFee)
    assert [type(event) for event in account] == ([] if wallet is None else [AccountUpdate])
    assert (fee.amount, fee.provisional, fee.replaces, fee.symbol) == (amount and D(amount), True, None, None)


def row(amount: str, ts: int = 5, tran_id: str = "t1", kind: str = "FUNDING_FEE", asset: str = "USDT") -> IncomeReport:
    return IncomeReport(
        income_type=kind,
        kind=INCOME.get(kind, IncomeKind.OTHER),
        amount=D(amount),
        tran_id=tran_id,
        exchange_ts=ts,
        asset=asset,
        symbol="BTC-USDT",
    )


def test_final_funding_replaces_the_provisional_one() -> None:
    """A row replaces the push of the same asset and amount near in time; its id is final, and it is delivered once."""
    desk = Desk()
    fee, _ = desk.push(5, balances=(balance("9", "-1"),), positions=(position("LONG", "1"),), funding=True)
    assert fee.symbol == "BTC-USDT"
    rows = (
        row("-1", 6, "t1"),
        row("-1", 7, "t2"),
        row("-1", 8, "t3", asset="BTC"),
        row("-2", 9, "t4"),
    )
    final = [event for event in desk.read(balances=(), income=rows) if isinstance(event, FundingFee)]
    assert [(event.event_id, event.replaces) for event in final] == [
        ("funding:t1", fee.event_id),
        ("funding:t2", None),
        ("funding:t3", None),
        ("funding:t4", None),
    ]
    assert not any(isinstance(event, FundingFee) for event in desk.read(20, income=rows))


def test_funding_of_another_day_is_not_replaced() -> None:
    """A row replaces only a push that is near it in time."""
    desk = Desk()
    desk.push(5, balances=(balance("9", "-1"),), funding=True)
    final = desk.read(income=(row("-1", 6 + MATCH_MS),))
    assert [event.replaces for event in final if isinstance(event, FundingFee)] == [None]


@pytest.mark.parametrize("change", ["-1", "0"])
def test_funding_that_was_read_before_its_push_came_is_not_delivered_again(change: str) -> None:
    """If the row came first, its late push is dropped; each row drops one push."""
    desk = Desk()
    desk.read(10, balances=(balance("9"),), income=(row("-1", 6),))
    assert desk.push(6, balances=(balance("9", change),), funding=True) == []
    assert [type(event) for event in desk.push(7, balances=(balance("8", "-1"),), funding=True)] == [FundingFee]
    desk.read(20, balances=(balance("5"),), income=(row("-2", 8, "t2"), row("-3", 8, "t3")))
    assert desk.push(8, balances=(balance("5", "-3"),), funding=True) == []


def test_funding_that_two_links_bring_in_two_frames_is_delivered_once() -> None:
    """If two links bring it in different frames, the fee is delivered once."""
    desk = Desk()
    assert len(desk.push(5, "one", balances=(balance("9", "-1"),), funding=True)) == 2
    assert [type(event) for event in desk.push(5, "two", balances=(balance("9", "-1"),), funding=True)] == [
        AccountUpdate
    ]


def test_income_that_repeats_a_fill_is_no_event_and_the_rest_is_delivered_once_in_order() -> None:
    """Fees and PnL of fills go to the ledger alone; transfers and all other income are delivered, oldest first."""
    desk = Desk()
    rows = (
        row("3", 9, "b", "TRANSFER"),
        row("-1", 8, "c", "TRADING_FEE"),
        row("1", 8, "c", "REALIZED_PNL"),
        row("2", 8, "a", "GTD_PRICE"),
        row("2", 8, "a", "TRANSFER"),
    )
    delivered = [event for event in desk.read(income=rows) if isinstance(event, BalanceChange)]
    assert [(event.event_id, event.reason, event.amount) for event in delivered] == [
        ("income:GTD_PRICE:a", "GTD_PRICE", D(2)),
        ("income:TRANSFER:a", "TRANSFER", D(2)),
        ("income:TRANSFER:b", "TRANSFER", D(3)),
    ]
    assert desk.read(20, income=rows) == []


def test_income_from_before_the_stream_is_not_owed() -> None:
    """Income is dropped if its row is dated before the second in which the stream began."""
    desk = Desk()
    account = Account(
        as_of=1,
        exchange_ms=1,
        since=0,
        whole=True,
        settled=True,
        income=(row("1", 4999, "x", "A"), row("1", 5000, "y", "A")),
    )
    desk.income.read(account, 5400)
    assert [event.event_id for event in desk.delivered()] == ["income:A:y"]


def test_funding_is_owed_from_the_whole_second_in_which_the_stream_began() -> None:
    """Its row names the second in which it was settled, though the times of other rows are exact."""
    context = Context(Policy(), 0, grain=1)
    income = Income(context, AccountView(context).funding)
    rows = (row("1", 5399, "x", "A"), row("1", 5400, "y", "A"), row("-1", 4999, "a"), row("-2", 5000, "b"))
    income.read(Account(as_of=1, exchange_ms=1, since=0, whole=True, settled=True, income=rows), 5400)
    delivered = [action.event.event_id for action in context.actions if isinstance(action, actions.Deliver)]
    assert delivered == ["funding:b", "income:A:y"]


def test_rows_are_remembered_longer_than_any_read_shows_them() -> None:
    """The ids of rows are kept as long as reads may show them again, and no longer."""
    desk = Desk()
    desk.read(income=(row("1", 5, "x", "A"),))
    desk.income.forget(3_000_000)
    assert desk.read(income=(row("1", 5, "x", "A"),)) == []
    desk.income.forget(3_700_000)
    assert len(desk.read(income=(row("1", 5, "x", "A"),))) == 1


def test_a_restart_remembers_income_and_provisional_funding() -> None:
    """After a restart, income is not delivered again, and a row still replaces provisional funding."""
    desk = Desk()
    desk.push(5, balances=(balance("9", "-1"),), funding=True)
    world = ready()
    world.exchange.transfer("5")
    world.exchange.fund("-1")
    world.passes(1)
    world.restart()
    world.passes(20)
    changes = world.events(BalanceChange)
    fees = world.events(FundingFee)
    assert [event.amount for event in changes] == [D(5)]
    assert [(event.provisional, event.replaces) for event in fees] == [(True, None), (False, fees[0].event_id)]
    world.restart()
    world.passes(200)
    assert len([event for event in world.delivered if isinstance(event, (BalanceChange, FundingFee))]) == 3


def test_income_of_a_blind_stretch_is_delivered_by_the_read() -> None:
    """Funding and transfers made without a link are delivered by the read after it."""
    world = ready()
    world.drop_all()
    world.exchange.transfer("5")
    world.exchange.fund("-1")
    world.passes(10)
    assert [part for part in world.summary(8, account=True) if not part.startswith("ACCOUNT")] == [
        "GAP_OPENED lost_socket",
        "BALANCE_CHANGE",
        "FUNDING_FEE",
        "GAP_CLOSED lost_socket 0",
        "RECONNECTED lost_socket 0",
    ]


def test_a_failed_read_is_never_an_account() -> None:
    """If the read fails, no account is delivered: neither zeros nor an empty list."""
    world = ready()
    world.exchange.transfer("5")
    world.passes(1)
    before = len(world.delivered)
    world.exchange.plan = REFUSED
    world.drop_all()
    world.passes(30)
    assert not any(isinstance(event, AccountUpdate) for event in world.delivered[before:])


def test_a_push_during_a_read_is_newer_than_it() -> None:
    """The account delivered by a read contains the pushes that came while it was made."""
    world = ready()
    world.drop_all()
    world.exchange.plan = world.exchange.plan._replace(takes=2)
    while len(world.connection.links) == 0 or not world.connection.links[0].proven:
        world.passes(0.01)
    world.passes(1.5)
    world.exchange.transfer("5")
    world.passes(10)
    accounts = world.events(AccountUpdate)
    assert accounts[-1].balances[0].wallet_balance == D(1005)


def test_no_account_is_delivered_twice() -> None:
    """Audits of an account that does not change deliver none."""
    world = trading().run(1000)
    assert len(world.events(AccountUpdate)) == 1
