"""The value with the newest stamp wins: random pushes of two links and reads, and a table for each part of the rule."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenkey.core.account.view import AHEAD_MS, PushOutcome
from listenkey.core.events import AccountUpdate, Balance, Position

from ...examples import TIMES
from ..exchange import D
from .test_account import Desk, balance, position

ASSETS = ("BTC", "USDT")
MARKETS = ("BTC-USDT", "ETH-USDT")
END = 6000


class Truth(NamedTuple):
    """The state of an account from `ts` on: wallets by asset, signed quantities by market, or by market and side."""

    ts: int
    wallets: tuple[int, ...]
    held: tuple[int, ...]


class Word(NamedTuple):
    """One arrival of the truth of `ts`: a push or a snapshot by a link, or, if `link` is 0, a read."""

    order: int
    link: int
    ts: int
    snapshot: bool


def history() -> st.SearchStrategy[list[Truth]]:
    amounts = st.integers(0, 2)
    change = st.tuples(st.integers(1, 400), st.tuples(amounts, amounts), st.tuples(*[st.integers(-2, 2)] * 4))

    def built(changes: list[tuple[int, tuple[int, int], tuple[int, ...]]]) -> list[Truth]:
        truths = [Truth(0, (1, 1), (0, 0, 0, 0))]
        for after, wallets, held in changes:
            truths.append(Truth(truths[-1].ts + after, wallets, held))
        return truths

    return st.lists(change, min_size=1, max_size=12).map(built)


anything = st.lists(
    st.builds(
        Word,
        order=st.integers(0, END),
        link=st.integers(0, 2),
        ts=st.integers(0, 4800),
        snapshot=st.booleans(),
    ),
    max_size=30,
)


def at(truths: list[Truth], ts: int) -> Truth:
    return [truth for truth in truths if truth.ts <= ts][-1]


def wallets(truth: Truth) -> dict[str, Decimal]:
    return {asset: D(amount) for asset, amount in zip(ASSETS, truth.wallets, strict=True)}


def positions(truth: Truth, *, one_way: bool) -> dict[tuple[str, str | None], Position]:
    """The positions of a truth: in one-way mode the first two amounts, in hedge mode all four, without signs."""
    found: dict[tuple[str, str | None], Position] = {}
    if one_way:
        for market, qty in zip(MARKETS, truth.held, strict=False):
            side = None if not qty else "LONG" if qty > 0 else "SHORT"
            found[market, None] = Position(symbol=market, side=side, qty=D(abs(qty)))
    else:
        places = [(market, side) for market in MARKETS for side in ("LONG", "SHORT")]
        for (market, side), qty in zip(places, truth.held, strict=True):
            found[market, side] = Position(symbol=market, side=side, qty=D(abs(qty)))
    return found


def open_only(held: Iterable[Position]) -> tuple[Position, ...]:
    return tuple(each for each in held if each.qty)


class Consumer:
    """Keeps the account as a user would: rows replace rows, and a complete update replaces all of them."""

    def __init__(self, *, one_way: bool) -> None:
        self._one_way = one_way
        self.wallets: dict[str, Decimal | None] = {}
        self.held: dict[tuple[str, str | None], tuple[str | None, Decimal]] = {}

    def take(self, event: AccountUpdate) -> None:
        if event.complete:
            self.wallets.clear()
            self.held.clear()
        self.wallets.update({each.asset: each.wallet_balance for each in event.balances})
        for each in event.positions:
            self.held[each.symbol, None if self._one_way else each.side] = (each.side, each.qty)

    def qty(self, place: tuple[str, str | None]) -> tuple[str | None, Decimal]:
        side, qty = self.held.get(place, (None, D(0)))
        return (side, qty) if qty else (None, D(0))


@pytest.mark.parametrize("one_way", [False, True], ids=["hedge", "one way"])
@pytest.mark.parametrize("grain", [1, 1000])
@settings(deadline=None, derandomize=True, max_examples=50 * TIMES)
@given(truths=history(), words=anything)
def test_whatever_order_words_come_in_the_last_delivered_has_the_newest_stamp(
    grain: int, one_way: bool, truths: list[Truth], words: list[Word]
) -> None:
    """The last value delivered of each asset and position is the one with the newest stamp; in the end it is the truth.

    Each change is pushed by both links, late, some twice; snapshots of any age and reads come between.
    """
    desk, consumer = Desk(grain), Consumer(one_way=one_way)
    script = [(word.order, n, word) for n, word in enumerate(words)]
    for n, truth in enumerate(truths[1:]):
        for link in (1, 2):
            late = (truth.ts * 7 + link * 631 + n * 97) % 900
            script.append((truth.ts + late, n, Word(truth.ts + late, link, truth.ts, False)))
    newest: dict[Any, tuple[tuple[int, bool, int], Any]] = {}
    for _, n, word in sorted(script):
        truth = at(truths, word.ts)
        held = positions(truth, one_way=one_way)
        if word.link == 0:
            delivered = desk.read(
                word.ts,
                one_way,
                balances=tuple(Balance(asset=asset, wallet_balance=amount) for asset, amount in wallets(truth).items()),
                positions=open_only(held.values()),
            )
        else:
            delivered = desk.push(
                word.ts,
                f"{word.ts} {word.snapshot}" if word.snapshot or n % 3 else None,
                link=word.link,
                balances=tuple(Balance(asset=asset, wallet_balance=amount) for asset, amount in wallets(truth).items()),
                positions=tuple(held.values()),
                snapshot=word.snapshot,
                one_way=one_way,
            )
        for event in delivered:
            consumer.take(event)
        stamp = (word.ts // grain, word.link > 0, word.ts)
        for asset, amount in wallets(truth).items():
            newest[asset] = max(newest.get(asset, (stamp, amount)), (stamp, amount), key=lambda entry: entry[0])
            assert consumer.wallets[asset] == newest[asset][1]
        for place, each in held.items():
            entry = (stamp, (each.side if each.qty else None, each.qty))
            newest[place] = max(newest.get(place, entry), entry, key=lambda entry: entry[0])
            assert consumer.qty(place) == newest[place][1]
    last = truths[-1]
    for event in desk.read(
        20_000,
        one_way,
        balances=tuple(Balance(asset=asset, wallet_balance=amount) for asset, amount in wallets(last).items()),
        positions=open_only(positions(last, one_way=one_way).values()),
    ):
        consumer.take(event)
    assert desk.reading == (False, False)
    assert consumer.wallets == wallets(last)
    for place, each in positions(last, one_way=one_way).items():
        assert consumer.qty(place) == (each.side if each.qty else None, each.qty)


def wallet_delivered(events: list[Any]) -> list[str]:
    return [str(each.wallet_balance) for event in events for each in event.balances]


@pytest.mark.parametrize(
    ("first", "second", "delivered"),
    [
        pytest.param(("push", 2000), ("push", 1999), False, id="a push against a push, in ms"),
        pytest.param(("push", 2000), ("push", 2001), True, id="a push after a push, in ms"),
        pytest.param(("read", 1900), ("push", 1000), True, id="a push of the read's own grain is newer"),
        pytest.param(("read", 1900), ("push", 999), False, id="a push of a grain before the read"),
        pytest.param(("push", 1000), ("read", 1999), False, id="a read in the grain of the push"),
        pytest.param(("push", 1999), ("read", 2000), True, id="a read in a later grain"),
        pytest.param(("read", 1500), ("read", 1501), True, id="a read after a read, in ms"),
        pytest.param(("read", 1500), ("read", 1500), True, id="of two reads of one moment the later"),
        pytest.param(("read", 1500), ("read", 1499), False, id="a read before a read"),
    ],
)
def test_stamps_compare_at_the_grain_of_the_lists_where_a_read_is_concerned(
    first: tuple[str, int], second: tuple[str, int], delivered: bool
) -> None:
    """Pushes compare in ms; a push and a read compare at the grain, here 1 s, at which the push counts as newer."""
    desk = Desk(1000)
    for (kind, ts), amount in ((first, "1"), (second, "2")):
        if kind == "push":
            desk.push(ts, balances=(balance(amount),))
        else:
            desk.read(ts, balances=(balance(amount),))
    assert str(desk.view.wallet("USDT")) == ("2" if delivered else "1")


def test_a_push_that_names_no_time_is_stamped_with_its_arrival() -> None:
    """A push with a time of its own is as old as that; the same text at another time is another push."""
    desk = Desk()
    desk.context.set_exchange_time(5000)
    assert wallet_delivered(desk.push(None, "a", balances=(balance("1"),))) == ["1"]
    assert desk.push(4999, balances=(balance("2"),)) == []
    desk.context.now += 1
    assert wallet_delivered(desk.push(None, "b", balances=(balance("3"),))) == ["3"]
    desk.context.now += 1
    again = desk.push(None, "a", balances=(balance("1"),))
    assert wallet_delivered(again) == ["1"]
    assert desk.push(None, "a", balances=(balance("1"),)) == []


def test_a_time_that_has_not_come_yet_is_none() -> None:
    """A push dated far in the future is stamped with its arrival, so that later pushes are newer."""
    desk = Desk()
    desk.context.set_exchange_time(5000)
    assert wallet_delivered(desk.push(5000 + AHEAD_MS, balances=(balance("1"),))) == ["1"]
    assert desk.push(5001, balances=(balance("2"),)) == []
    desk.context.now += 100
    assert wallet_delivered(desk.push(10**13, balances=(balance("3"),))) == ["3"]
    assert wallet_delivered(desk.push(105_001, balances=(balance("4"),))) == ["4"]
    desk.context.now += 100
    assert wallet_delivered(desk.push(10**13, "late", balances=(balance("4", "1"),))) == ["4"]
    desk.context.now += 100
    assert desk.push(10**13, "late", balances=(balance("4", "1"),)) == []


def test_older_is_dropped_row_by_row() -> None:
    """Rows older than those delivered are dropped and the others delivered; an event with no row left is dropped."""
    desk = Desk()
    desk.push(10, balances=(balance("1"),), positions=(position("LONG", "1"),))
    (event,) = desk.push(9, balances=(balance("2"), balance("3", asset="BTC")), positions=(position("LONG", "2"),))
    assert ([each.asset for each in event.balances], event.positions) == (["BTC"], ())
    assert desk.push(8, balances=(balance("2"),), positions=(position("LONG", "2"),)) == []


def test_a_read_speaks_of_what_it_leaves_out_too() -> None:
    """A position that a read leaves out counts as closed at that moment: older pushes of it are dropped."""
    desk = Desk()
    desk.push(5, positions=(position("LONG", "1"),), balances=(balance("9", asset="BTC"),))
    (event,) = desk.read(10, balances=(balance("1"),))
    assert (event.positions, [each.asset for each in event.balances]) == ((), ["USDT"])
    stale = (position("LONG", "1"), position("SHORT", "1"), position("LONG", "3", "ETH-USDT"))
    assert desk.push(9, positions=stale, balances=(balance("9", asset="BTC"),)) == []
    assert len(desk.push(11, positions=(position("LONG", "1"),))) == 1


def test_a_closed_position_keeps_its_stamp() -> None:
    """An older push or read does not open a closed position again."""
    desk = Desk()
    desk.push(10, positions=(position("LONG", "1"),))
    desk.push(12, positions=(position("LONG", "0"),))
    assert desk.push(11, positions=(position("LONG", "2"),)) == []
    (event,) = desk.read(11, positions=(position("LONG", "2"),), balances=(balance("1"),))
    assert event.positions == ()


@pytest.mark.parametrize(
    ("link", "amount", "delivered", "disputed"),
    [
        pytest.param(1, "2", ["2"], False, id="the link that brought the last one: arrival decides"),
        pytest.param(2, "2", [], True, id="the other link: what was delivered stands, and is disputed"),
        pytest.param(2, "1", [], False, id="the other link says the same"),
    ],
)
def test_equal_stamps(link: int, amount: str, delivered: list[str], disputed: bool) -> None:
    """Of two pushes with one stamp the later wins if both came on one link; of two links, the first stays."""
    desk = Desk()
    desk.push(10, balances=(balance("1"),))
    assert wallet_delivered(desk.push(10, link=link, balances=(balance(amount),))) == delivered
    assert (desk.outcome is PushOutcome.CONTRADICTED) is disputed


@pytest.mark.parametrize(
    ("pushed", "as_of", "overtaken", "disputed"),
    [
        pytest.param((2500, "2"), 2400, True, False, id="stamped after the read"),
        pytest.param((2500, "1"), 2400, True, False, id="though it says the same as the read"),
        pytest.param((2500, "2"), 2500, False, True, id="of the same moment"),
        pytest.param((2100, "2"), 2500, False, True, id="of the same grain, and the read says something else"),
        pytest.param((2100, "1"), 2500, False, False, id="of the same grain, and the read says the same"),
        pytest.param((1999, "2"), 2500, False, False, id="older"),
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_a_read_that_a_push_overtook_is_not_settled(
    pushed: tuple[int, str], as_of: int, overtaken: bool, disputed: bool, listed: bool
) -> None:
    """A read is overtaken by a push stamped after `as_of`; one that differs within its grain makes it disputed."""
    desk = Desk(1000)
    ts, qty = pushed
    desk.push(ts, positions=(position("LONG", qty),))
    desk.read(as_of, positions=(position("LONG", "1"),) if listed else ())
    assert desk.reading.overtaken is overtaken
    assert desk.reading.disputed is (ts // 1000 == as_of // 1000 and ts <= as_of and (disputed or not listed))


def test_a_read_that_differs_from_what_a_later_push_repeats_is_not_settled() -> None:
    """A push that repeated the known value was not delivered, but it still is newer than a read that differs."""
    desk = Desk(1000)
    desk.push(1000, balances=(balance("1"),))
    desk.push(5000, balances=(balance("1"),), snapshot=True)
    assert desk.read(4000, balances=(balance("1"),)) != []
    assert desk.reading == (False, False)
    assert desk.read(4000, balances=(balance("2"),)) == []
    assert desk.reading == (True, False)


def test_what_a_later_push_leaves_unsaid_a_read_says() -> None:
    """If newer pushes do not give the leverage, it is taken from a read, although the read is older."""
    desk = Desk()
    desk.push(1, positions=(full(leverage=None),), snapshot=True)
    desk.push(10, positions=(full(leverage=None),), snapshot=True)
    (event,) = desk.read(5, positions=(full(leverage=19),))
    assert [each.leverage for each in event.positions] == [19]
    assert desk.reading == (False, False)
    desk.push(20, positions=(full(leverage=None, margin_mode=None),), snapshot=True)
    assert desk.read(15, positions=(full(leverage=19),)) == []
    desk.push(30, positions=(full(leverage=None),), snapshot=True)
    (event,) = desk.read(25, positions=(full(leverage=20),))
    assert [each.leverage for each in event.positions] == [20]
    assert desk.reading == (False, False)
    assert desk.read(26, positions=(full(leverage=20, entry_price=D(1)),)) == []
    assert desk.reading == (True, False)


def full(**changes: Any) -> Position:
    said: dict[str, Any] = {
        "symbol": "BTC-USDT",
        "side": "LONG",
        "qty": D(1),
        "entry_price": D(100),
        "margin_mode": "cross",
        "leverage": 5,
        "unrealized_pnl": D(1),
        "mark_price": D(101),
        "liquidation_price": D(50),
    }
    return Position(**(said | changes))


def rich(**changes: Any) -> Balance:
    said: dict[str, Any] = {
        "asset": "USDT",
        "wallet_balance": D(10),
        "available": D(9),
        "equity": D(11),
        "unrealized_pnl": D(1),
        "used_margin": D(2),
        "maintenance_margin": D(1),
    }
    return Balance(**(said | changes))


@pytest.mark.parametrize("way", ["push", "snapshot", "read"])
@pytest.mark.parametrize(
    ("row", "news"),
    [
        pytest.param(full(), False, id="as delivered"),
        pytest.param(full(qty=D(2)), True, id="qty"),
        pytest.param(full(side="SHORT"), True, id="side"),
        pytest.param(full(entry_price=D(101)), True, id="entry price"),
        pytest.param(full(margin_mode="isolated"), True, id="margin mode"),
        pytest.param(full(leverage=6), True, id="leverage"),
        pytest.param(full(entry_price=None, margin_mode=None, leverage=None), False, id="what it does not say"),
        pytest.param(
            full(unrealized_pnl=D(2), mark_price=None, liquidation_price=D(1)), False, id="what moves by itself"
        ),
        pytest.param(rich(), False, id="a balance as delivered"),
        pytest.param(rich(wallet_balance=D(11)), True, id="wallet balance"),
        pytest.param(rich(wallet_balance=None), False, id="no wallet balance"),
        pytest.param(
            rich(available=D(1), equity=None, unrealized_pnl=D(3), used_margin=D(3), maintenance_margin=None),
            False,
            id="figures that move by themselves",
        ),
    ],
)
def test_the_same_is_what_was_delivered_in_the_figures_that_do_not_move_by_themselves(
    way: str, row: Balance | Position, news: bool
) -> None:
    """A push, snapshot or read is the same if only figures differ that move by themselves, or that it does not give."""
    desk = Desk()
    desk.read(10, balances=(rich(),), positions=(full(),), one_way=True)
    balances = (row,) if isinstance(row, Balance) else (rich(),)
    positions = (row,) if isinstance(row, Position) else (full(),)
    if way == "read":
        delivered = desk.read(20, balances=balances, positions=positions, one_way=True)
    else:
        delivered = desk.push(20, balances=balances, positions=positions, one_way=True, snapshot=way == "snapshot")
    assert bool(delivered) is news


def test_what_was_delivered_is_compared_not_what_was_last_read() -> None:
    """A wrong push is corrected by the next read, even if that equals the read before the push."""
    desk = Desk()
    desk.read(10, balances=(balance("5"),), positions=(position("LONG", "1"),))
    desk.push(15, positions=(position("LONG", "2"),))
    (event,) = desk.read(20, balances=(balance("5"),), positions=(position("LONG", "1"),))
    assert [str(each.qty) for each in event.positions] == ["1"]


def test_what_can_be_spent_counts_where_it_is_a_figure_of_its_own() -> None:
    """On spot `available` moves with orders, so there a change of it alone is delivered."""
    desk = Desk(available=True)
    desk.push(10, balances=(rich(),))
    assert desk.push(11, balances=(rich(),)) == []
    assert len(desk.push(12, balances=(rich(available=D(1)),))) == 1
    assert desk.push(13, balances=(rich(available=None),)) == []
    assert desk.push(14, balances=(rich(available=D(1)),)) == []


def test_a_row_with_a_change_is_never_the_same() -> None:
    """Two payments that cancel out leave the balance as it was, and are both delivered; a change of 0 is no payment."""
    desk = Desk()
    desk.push(10, balances=(balance("5"),))
    assert len(desk.push(11, balances=(balance("5", "1"),))) == 1
    assert desk.push(12, balances=(balance("5", "0"),)) == []
    assert desk.push(11, link=2, balances=(balance("5", "1"),)) == []


def test_a_repetition_is_the_newest_word_though_it_is_not_delivered() -> None:
    """A snapshot that repeats the known value is not delivered, but drops older pushes from then on."""
    desk = Desk()
    desk.push(10, balances=(balance("5"),))
    assert desk.push(20, snapshot=True, balances=(balance("5"),)) == []
    assert desk.push(15, balances=(balance("6"),)) == []


def test_a_complete_update_may_hold_rows_that_are_newer() -> None:
    """Rows newer than the read stay as delivered; figures that they leave out are earlier ones, if still valid."""
    desk = Desk()
    desk.read(10, balances=(rich(),), positions=(full(),))
    desk.push(20, positions=(full(qty=D(2), leverage=None, entry_price=None, margin_mode=None),))
    (event,) = desk.read(15, balances=(rich(wallet_balance=D(4)),), positions=(full(),))
    assert (event.exchange_ts, event.complete) == (15, True)
    (held,) = event.positions
    assert (held.qty, held.leverage, held.entry_price, held.margin_mode) == (D(2), 5, None, "cross")
    desk.push(30, positions=(full(qty=D(2), entry_price=D(104), leverage=None),))
    desk.push(31, positions=(full(qty=D(2), entry_price=None, margin_mode="isolated", leverage=None),))
    (event,) = desk.read(25, balances=(rich(wallet_balance=D(5)),), positions=(full(),))
    (held,) = event.positions
    assert (held.qty, held.leverage, held.entry_price, held.margin_mode) == (D(2), 5, D(104), "isolated")


def test_a_complete_update_says_of_no_balance_what_changed() -> None:
    """The pushes have given the changes already: whoever sums up changes would count them twice."""
    desk = Desk()
    desk.push(20, balances=(balance("5", "1"), balance("7", asset="BTC")))
    (event,) = desk.read(15, balances=(balance("4"), balance("7", asset="BTC"), balance("1", asset="ETH")))
    assert [(each.asset, str(each.wallet_balance), each.change) for each in event.balances] == [
        ("BTC", "7", None),
        ("ETH", "1", None),
        ("USDT", "5", None),
    ]


def test_in_one_way_mode_a_symbol_has_one_position_whatever_its_side() -> None:
    """A position that turns round replaces its other side, and older pushes of the other side are dropped."""
    desk = Desk()
    desk.push(10, positions=(position("LONG", "1"),), one_way=True)
    desk.push(12, positions=(position("SHORT", "2"),), one_way=True)
    assert desk.push(11, positions=(position("LONG", "3"),), one_way=True) == []
    (event,) = desk.read(11, positions=(position("LONG", "3"),), one_way=True)
    assert [(each.side, str(each.qty)) for each in event.positions] == [("SHORT", "2")]
    (event,) = desk.read(20, positions=(position("LONG", "3"),), one_way=True)
    assert [(each.side, str(each.qty)) for each in event.positions] == [("LONG", "3")]


def test_what_is_known_moves_along_when_the_account_changes_over() -> None:
    """Hedge to one-way: the newer of the two sides is the position. One-way to hedge: the other side was empty then."""
    desk = Desk()
    desk.push(10, positions=(position("LONG", "1"),))
    desk.push(12, positions=(position("LONG", "0"), position("SHORT", "0")))
    assert desk.push(11, positions=(position("LONG", "3"),), one_way=True) == []
    assert len(desk.push(13, positions=(position("SHORT", "2"),), one_way=True)) == 1
    assert desk.push(12, positions=(position("LONG", "1"), position("SHORT", "1"))) == []
    (event,) = desk.push(14, positions=(position("LONG", "1"), position("SHORT", "2")))
    assert [each.side for each in event.positions] == ["LONG", "SHORT"]
    assert desk.push(15, positions=(position("LONG", "1"), position("SHORT", "2"))) == []
    (event,) = desk.read(20, positions=(position("SHORT", "2"),), one_way=True)
    assert [(each.side, str(each.qty)) for each in event.positions] == [("SHORT", "2")]


def test_rows_of_one_update_that_are_older_are_dropped_with_their_funding() -> None:
    """The funding is delivered if the dropped row gives its amount; without one, only the final row can."""
    desk = Desk()
    desk.push(10, balances=(balance("5"),))
    (event,) = desk.push(9, reason="FUNDING_FEE", funding=True, balances=(balance("4", "-1"),))
    assert (event.kind, event.amount, event.provisional) == ("FUNDING_FEE", D(-1), True)
    assert desk.push(8, reason="FUNDING_FEE", funding=True, balances=(balance("3"),)) == []


@pytest.mark.parametrize(("side", "qty"), [(None, "0"), ("SHORT", "2")], ids=["closed", "turned round"])
def test_where_the_account_nets_the_next_read_says_whole_that_a_side_is_gone(side: str | None, qty: str) -> None:
    """A push cannot name the side that is gone, and a consumer may keep it: the next read is delivered as complete."""
    desk = Desk()
    desk.push(10, positions=(position("LONG", "1"),), one_way=True)
    desk.read(11, positions=(position("LONG", "1"),), one_way=True)
    desk.push(12, positions=(position(side, qty),), one_way=True)
    now_held = (position(side, qty),) if side else ()
    (event,) = desk.read(13, positions=now_held, one_way=True)
    assert (event.complete, event.positions) == (True, now_held)
    assert desk.read(14, positions=now_held, one_way=True) == []


def test_an_update_without_rows_is_delivered_and_a_snapshot_without_any_is_not() -> None:
    """An update without rows still gives its reason; a snapshot without rows gives nothing."""
    desk = Desk()
    assert len(desk.push(10, reason="MARGIN_TYPE_CHANGE")) == 1
    assert desk.push(11, snapshot=True) == []
