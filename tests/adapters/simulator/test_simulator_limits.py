"""The rate limits of the simulated venue, by address and by account, and the lock after many failing calls."""

from __future__ import annotations

import contextlib

import pytest

from listenkey.adapters.simulator.limits import KEYS_PATH, MARKET_PATHS, OF_ACCOUNT, Limits
from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.trading import ORDER_PATH


def test_rate_limits_name_the_time_of_their_end() -> None:
    """The third call within a second is refused until the window ends, with each verb counted apart.

    The code of a refusal is 109429 for futures and 100410 for listen keys.
    """
    limits = Limits()
    limits.admit("POST", KEYS_PATH, 1000)
    limits.admit("POST", KEYS_PATH, 1500)
    limits.admit("PUT", KEYS_PATH, 1500)
    with pytest.raises(OrderRefused, match="will be unblocked after 2000") as refused:
        limits.admit("POST", KEYS_PATH, 1999)
    assert refused.value.code == 100410
    limits.admit("POST", KEYS_PATH, 2000)
    for _ in range(10):
        limits.admit("POST", ORDER_PATH, 0)
    with pytest.raises(OrderRefused, match=r"^code:109429:.* will be unblocked after 1000$") as refused:
        limits.admit("POST", ORDER_PATH, 0)
    assert refused.value.code == 109429
    former = Limits(codes="former").disabled_until(ORDER_PATH, 7)
    assert (former.code, former.message[:12]) == (100410, "code:100410:")


def test_limits_of_an_account() -> None:
    """Each endpoint has a number of calls a second for each account, from all addresses together."""
    limits = Limits()
    for endpoint, calls in OF_ACCOUNT.items():
        verb, _, path = endpoint.partition(" ")
        for number in range(calls):
            limits.admit(verb, path, 0, address=f"address {number}", account="one")
        with pytest.raises(OrderRefused, match="after 1000"):
            limits.admit(verb, path, 999, address="yet another", account="one")
        limits.admit(verb, path, 999, account="two")
        limits.admit(verb, path, 1000, account="one")


def test_limits_of_an_address() -> None:
    """An address has 300 calls of an endpoint in 10 s, 2000 of all, and 500 of market data, also without an account."""
    limits = Limits()

    def call(path: str, calls: int, *, address: str = "here", now: int = 0) -> int:
        """Return the number of admitted calls, half of them without an account and half of different ones."""
        admitted = 0
        for number in range(calls):
            with contextlib.suppress(OrderRefused):
                limits.admit("GET", path, now, address=address, account=None if number % 2 else f"account {number}")
                admitted += 1
        return admitted

    paths = sorted({endpoint.partition(" ")[2] for endpoint in OF_ACCOUNT if endpoint.startswith("GET")})
    assert [call(path, 301) for path in paths[:6]] == [300] * 6
    assert call(paths[6], 300) == 2000 - 6 * 301
    assert call(paths[6], 300, address="there") == 300
    (market, *_) = MARKET_PATHS
    assert call(market, 501) == 500
    assert call(paths[6], 1, now=9_999) == 0
    assert call(paths[6], 300, now=10_000) == 300


def test_what_is_left() -> None:
    """`left` gives the calls left of the narrowest limit and the time of its end, or None without limits."""
    limits = Limits()
    order = ("GET", ORDER_PATH)
    assert limits.left(*order, 50) == (5, 1050)
    limits.admit(*order, 50)
    assert limits.left(*order, 60) == (4, 1050)
    assert limits.left(*order, 60, account=None) == (299, 10_050)
    for _ in range(7):
        with contextlib.suppress(OrderRefused):
            limits.admit(*order, 70)
    assert limits.left(*order, 70) == (0, 1050)
    assert limits.left(*order, 1050) == (5, 2050)
    assert Limits(enabled=False).left(*order, 0) is None


def test_twenty_failing_calls_lock_an_endpoint() -> None:
    """Twenty failing calls lock an endpoint until the first is 480 s old; rate limits do not count as failures."""
    limits = Limits()
    for second in range(20):
        limits.admit("GET", "/x", second * 1000)
        limits.failed("GET", "/x", 109429 if second % 2 else 100410, second * 1000)
        if second < 19:
            limits.failed("GET", "/x", 100202, second * 1000)
    limits.admit("GET", "/x", 20_000)
    limits.failed("GET", "/x", 100202, 20_000)
    with pytest.raises(OrderRefused, match=r"over 20 error code:100202 .*can retry after time: 480000") as refused:
        limits.admit("GET", "/x", 21_000)
    assert refused.value.code == 100410
    limits.admit("GET", "/y", 21_000)
    limits.admit("GET", "/x", 480_000)


def test_limits_can_be_switched_off() -> None:
    """With `enabled=False` no call is refused."""
    limits = Limits(enabled=False)
    for _ in range(100):
        limits.admit("POST", KEYS_PATH, 0)
        limits.failed("POST", KEYS_PATH, 100500, 0)
