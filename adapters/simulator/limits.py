"""The venue's rate limits, per address and per account, and the limiter that locks an endpoint that keeps failing."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from .codes import BUSY, TOO_FAST, Codes, coded
from .orders import OrderRefused

KEYS_PATH = "/openApi/user/auth/userDataStream"
FUTURES = "/openApi/swap/"
MARKET_PATHS = frozenset(
    {
        "/openApi/swap/v2/server/time",
        *(f"/openApi/swap/v2/quote/{name}" for name in ("contracts", "price", "ticker", "bookTicker", "premiumIndex")),
        *(f"/openApi/swap/v2/quote/{name}" for name in ("depth", "trades", "fundingRate")),
        "/openApi/swap/v3/quote/klines",
        "/openApi/swap/v1/ticker/price",
    }
)
"""The paths for which no API key is needed."""

OF_ACCOUNT = {
    f"POST {KEYS_PATH}": 2,
    f"PUT {KEYS_PATH}": 2,
    f"DELETE {KEYS_PATH}": 2,
    "GET /openApi/swap/v3/user/balance": 5,
    "GET /openApi/swap/v2/user/balance": 5,
    "GET /openApi/swap/v2/user/positions": 10,
    "GET /openApi/swap/v1/positionSide/dual": 2,
    "GET /openApi/swap/v2/trade/openOrders": 5,
    "GET /openApi/swap/v2/trade/order": 5,
    "POST /openApi/swap/v2/trade/order": 10,
    "DELETE /openApi/swap/v2/trade/order": 5,
    "GET /openApi/swap/v2/trade/openOrder": 5,
    "GET /openApi/swap/v2/trade/allOrders": 5,
    "GET /openApi/swap/v1/trade/fullOrder": 5,
    "GET /openApi/swap/v2/trade/fillHistory": 5,
    "GET /openApi/swap/v2/trade/allFillOrders": 5,
    "GET /openApi/swap/v2/user/income": 5,
    "GET /openApi/swap/v2/user/commissionRate": 5,
    "GET /openApi/swap/v2/trade/forceOrders": 10,
    "GET /openApi/swap/v1/trade/positionHistory": 5,
    "GET /openApi/swap/v1/maintMarginRatio": 5,
    "GET /openApi/swap/v2/trade/leverage": 5,
    "POST /openApi/swap/v2/trade/leverage": 5,
    "GET /openApi/swap/v2/trade/marginType": 2,
    "POST /openApi/swap/v2/trade/marginType": 2,
    "POST /openApi/swap/v1/positionSide/dual": 4,
    "POST /openApi/swap/v2/trade/order/test": 5,
    "POST /openApi/swap/v2/trade/batchOrders": 5,
    "DELETE /openApi/swap/v2/trade/batchOrders": 5,
    "DELETE /openApi/swap/v2/trade/allOpenOrders": 5,
    "POST /openApi/swap/v2/trade/cancelAllAfter": 1,
    "POST /openApi/swap/v2/trade/closeAllPositions": 5,
    "POST /openApi/swap/v1/trade/closePosition": 5,
    "POST /openApi/swap/v1/trade/amend": 5,
    "POST /openApi/swap/v1/trade/cancelReplace": 5,
    "POST /openApi/swap/v1/trade/batchCancelReplace": 2,
}
"""Calls that one account may make per second, with all its API keys together."""
ADDRESS_MS = 10_000
OF_ADDRESS = 2000
OF_ADDRESS_AND_ENDPOINT = 300
OF_ADDRESS_AND_MARKET = 500
"""Calls that one address may make in 10 s: to all endpoints of accounts, to each of them, to all of market data."""

FAILURES_ALLOWED = 20
FAILURE_SPAN_MS = 480_000


class Allowance(NamedTuple):
    """The number of calls that are left, and the real time, ms, at which the window ends."""

    remain: int
    expires: int


class _Window(NamedTuple):
    """A limit: `calls` calls are allowed within `span` ms."""

    whose: str
    calls: int
    span: int


class Limits:
    """Counts calls and failures in real time, ms. An endpoint is an HTTP method and a path."""

    def __init__(self, *, enabled: bool = True, codes: Codes = "current") -> None:
        self.enabled = enabled
        self._codes = codes
        self._counts: dict[_Window, tuple[int, int]] = {}
        self._failures: dict[str, deque[int]] = {}
        self._locks: dict[str, tuple[int, int]] = {}

    def admit(self, verb: str, path: str, now: int, *, address: str = "", account: str | None = "") -> None:
        """Count a call; if `account` is None, only for its address.

        Raises `OrderRefused` if the call exceeds a limit of the address or account, or its endpoint is locked.
        """
        if not self.enabled:
            return
        endpoint = f"{verb} {path}"
        code, until = self._locks.get(endpoint, (0, 0))
        if now < until:
            raise OrderRefused(
                BUSY,
                f"over {FAILURES_ALLOWED} error code:{code} requests within {FAILURE_SPAN_MS} ms for this api, "
                f"please verify and fix it ,can retry after time: {until}",
            )
        ends = 0
        for window in _windows(endpoint, path, address, account):
            begun, calls = self._count(window, now)
            self._counts[window] = (begun, calls + 1)
            if calls >= window.calls:
                ends = max(ends, begun + window.span)
        if ends:
            raise self.disabled_until(path, ends)

    def left(self, verb: str, path: str, now: int, *, address: str = "", account: str | None = "") -> Allowance | None:
        """The allowance of the call's limit that has the fewest calls left; None without limits."""
        if not self.enabled:
            return None
        counted = [(each, *self._count(each, now)) for each in _windows(f"{verb} {path}", path, address, account)]
        allowances = (Allowance(max(each.calls - calls, 0), begun + each.span) for each, begun, calls in counted)
        return min(allowances, key=lambda allowance: (allowance.remain, -allowance.expires))

    def disabled_until(self, path: str, at: int) -> OrderRefused:
        """The refusal of a call above a rate limit, until real time `at`, ms."""
        code = coded(TOO_FAST, self._codes) if path.startswith(FUTURES) else BUSY
        return OrderRefused(
            code,
            f"code:{code}:The endpoint trigger frequency limit rule is currently in the disabled period "
            f"and will be unblocked after {at}",
        )

    def failed(self, verb: str, path: str, code: int, now: int) -> None:
        """Count a failed call; the twentieth within 480 s locks the endpoint until the first is 480 s old."""
        if not self.enabled or code in (BUSY, TOO_FAST):
            return
        endpoint = f"{verb} {path}"
        failures = self._failures.setdefault(endpoint, deque())
        while failures and failures[0] <= now - FAILURE_SPAN_MS:
            failures.popleft()
        failures.append(now)
        if len(failures) >= FAILURES_ALLOWED:
            self._locks[endpoint] = (code, failures[0] + FAILURE_SPAN_MS)

    def _count(self, window: _Window, now: int) -> tuple[int, int]:
        """The time, ms, at which the current window began, and the calls in it."""
        begun, calls = self._counts.get(window, (now, 0))
        return (now, 0) if now - begun >= window.span else (begun, calls)


def _windows(endpoint: str, path: str, address: str, account: str | None) -> list[_Window]:
    if path in MARKET_PATHS:
        return [_Window(f"{address} market", OF_ADDRESS_AND_MARKET, ADDRESS_MS)]
    windows = [
        _Window(f"{address} {endpoint}", OF_ADDRESS_AND_ENDPOINT, ADDRESS_MS),
        _Window(f"{address} accounts", OF_ADDRESS, ADDRESS_MS),
    ]
    if account is not None and endpoint in OF_ACCOUNT:
        windows.append(_Window(f"account {account} {endpoint}", OF_ACCOUNT[endpoint], 1000))
    return windows
