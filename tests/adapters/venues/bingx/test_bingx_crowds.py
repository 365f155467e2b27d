"""A busy account: rate limits within a read, orders that begin during a read, and long lists."""

from __future__ import annotations

import pytest

from listenkey.adapters.venues.bingx import lists
from listenkey.adapters.venues.bingx.keys import Keys
from listenkey.adapters.venues.bingx.lists import PAGE, Lists
from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.ports.errors import RequestRefused
from listenkey.ports.http import HttpResponse

from .venue import NOW, Venue, fill_row, income_row, order_row, reply

LISTEN_KEY = "0123456789abcdef" * 4


CODES = [100410, 109429]


def limited(venue: Venue, seconds: float, code: int) -> HttpResponse:
    """Return the venue's answer to one call too many."""
    until = venue.ms() + int(seconds * 1000)
    return reply({"code": code, "msg": f"code:{code}:is in the disabled period and will be unblocked after {until}"})


@pytest.mark.parametrize("code", CODES)
def test_a_moment_is_waited_out(code: int) -> None:
    """A rate limit that ends within a second or so is waited out, and the read goes on."""
    venue = Venue()
    venue.scripted["balance"] = [limited(venue, 0.9, code), limited(venue, 1.2, code)]
    account = venue.run(Reader(venue.rest()).read(NOW - 5000))
    assert account.balances
    assert venue.count("balance") == 3
    assert venue.count("time") == 2
    assert venue.clock.now - venue.began > 1.2


@pytest.mark.parametrize("code", CODES)
def test_a_lock_holds_for_every_method(code: int) -> None:
    """Until the venue's unlock time no request is sent to that path, by any method."""
    venue = Venue()
    keys = Keys(venue.rest())

    venue.scripted["userDataStream"] = [reply({"code": 0, "data": {}})]
    venue.run(keys.renew(LISTEN_KEY))
    venue.scripted["userDataStream"] = [limited(venue, 30, code)]
    with pytest.raises(RequestRefused):
        venue.run(keys.delete(LISTEN_KEY))
    sent = len(venue.calls)
    for ask in (keys.create, lambda: keys.renew(LISTEN_KEY)):
        with pytest.raises(RequestRefused) as caught:
            venue.run(ask())
        assert 29 < (caught.value.refusal.retry_after or 0) < 30
    assert len(venue.calls) == sent
    venue.clock.now += 30
    venue.run(keys.renew(LISTEN_KEY))


def test_a_burst_that_fills_a_list_is_parted_where_its_fills_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full list is asked for in two parts at its fills, which takes two more requests in any window."""
    monkeypatch.setattr(lists, "MOST_FILLS", 8)
    venue = Venue()
    venue.most_fills = 8
    second = NOW // 1000 * 1000 - 60_000
    venue.fills = [fill_row(at, 1, second + at // 6 * 1000, "0.1") for at in range(12)]
    fills = venue.run(Lists(venue.rest()).fills(NOW - 3_600_000, NOW))
    assert len(fills.rows) == 12
    assert venue.count("fillHistory") == 3


def test_an_order_that_begins_meanwhile_is_left_to_the_next_read() -> None:
    """A fill of an order that began during the read is left out, and one of a known order is listed."""
    venue = Venue()
    venue.orders = [order_row(1, NOW - 800, status="PARTIALLY_FILLED", executed="0.2")]
    venue.fills = [fill_row(11, 1, NOW - 700, "0.2")]

    def meanwhile() -> None:
        now = venue.ms()
        venue.fills += [fill_row(12, 1, now, "0.1"), fill_row(13, 2, now, "0.5")]
        venue.orders.append(order_row(2, now))

    venue.before["time", 2] = meanwhile
    account = venue.run(Reader(venue.rest()).read(NOW - 5000))
    assert [row.trade_id for row in account.fills] == ["11", "12"]
    assert account.moving == {"1", "2"}
    assert not account.settled


def test_a_full_list_is_parted_where_its_rows_are() -> None:
    """All rows of a burst at the end of a long window are found in a few calls."""
    venue = Venue()
    rows = 3 * PAGE // 2
    venue.income = [income_row("TRADING_FEE", "-0.1", NOW - 9000 + 5 * n, f"t{n}") for n in range(rows)]
    found = venue.run(Lists(venue.rest()).income(NOW - 600_000, NOW)).rows
    assert len(found) == rows
    assert venue.count("income") <= 5
