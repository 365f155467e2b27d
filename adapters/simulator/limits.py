"""The venue's rate limits per endpoint, and the limiter that locks an endpoint after too many failing calls."""

from __future__ import annotations

from collections import deque

from .orders import OrderRefused

KEYS_PATH = "/openApi/user/auth/userDataStream"
PER_SECOND = {
    KEYS_PATH: 2,
    "/openApi/swap/v3/user/balance": 3,
    "/openApi/swap/v2/user/balance": 5,
    "/openApi/swap/v2/user/positions": 3,
    "/openApi/swap/v1/positionSide/dual": 2,
    "/openApi/swap/v2/trade/openOrders": 3,
    "/openApi/swap/v2/trade/order": 30,
    "/openApi/swap/v2/trade/openOrder": 30,
    "/openApi/swap/v2/trade/allOrders": 3,
    "/openApi/swap/v1/trade/fullOrder": 2,
    "/openApi/swap/v2/trade/fillHistory": 2,
    "/openApi/swap/v2/trade/allFillOrders": 2,
    "/openApi/swap/v2/user/income": 2,
}
FAILURES_ALLOWED = 20
FAILURE_SPAN_MS = 480_000
RATE_LIMITED = 100410


def disabled_until(at: int) -> OrderRefused:
    """The refusal of a call beyond the rate limit."""
    return OrderRefused(
        RATE_LIMITED,
        "code:100410:The endpoint trigger frequency limit rule is currently in the disabled period "
        f"and will be unblocked after {at}",
    )


class Limits:
    """Counts calls and failures per endpoint (verb and path) in exchange time, ms."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._windows: dict[str, tuple[int, int]] = {}
        self._failures: dict[str, deque[int]] = {}
        self._locks: dict[str, tuple[int, int]] = {}

    def admit(self, verb: str, path: str, now: int) -> None:
        """Count a call. Raises `OrderRefused` 100410 when it is one too many or the endpoint is locked."""
        if not self.enabled:
            return
        endpoint = f"{verb} {path}"
        code, until = self._locks.get(endpoint, (0, 0))
        if now < until:
            raise OrderRefused(
                RATE_LIMITED,
                f"over {FAILURES_ALLOWED} error code:{code} requests within {FAILURE_SPAN_MS} ms for this api, "
                f"please verify and fix it ,can retry after time: {until}",
            )
        begun, calls = self._windows.get(endpoint, (now, 0))
        if now - begun >= 1000:
            begun, calls = now, 0
        self._windows[endpoint] = (begun, calls + 1)
        if calls >= PER_SECOND.get(path, 10):
            raise disabled_until(begun + 1000)

    def failed(self, verb: str, path: str, code: int, now: int) -> None:
        """Count a failing call; the twentieth within 480 s locks the endpoint until the first is 480 s old."""
        if not self.enabled or code == RATE_LIMITED:
            return
        endpoint = f"{verb} {path}"
        failures = self._failures.setdefault(endpoint, deque())
        while failures and failures[0] <= now - FAILURE_SPAN_MS:
            failures.popleft()
        failures.append(now)
        if len(failures) >= FAILURES_ALLOWED:
            self._locks[endpoint] = (code, failures[0] + FAILURE_SPAN_MS)
