"""The venue's limits: weight per address and minute, orders per account, and bans of addresses that go on.

Windows begin at full minutes and full ten seconds. Times are real time, ms.
"""

from __future__ import annotations

from collections.abc import Mapping

from .errors import Refusal
from .readings import Readings

WEIGHT = 2400
"""The weight that an address may use in a minute."""
MINUTE_MS = 60_000
TEN_SECONDS_MS = 10_000
ORDERS = {"10S": (TEN_SECONDS_MS, 300), "1M": (MINUTE_MS, 1200)}
"""Window in ms and most orders of one account in it, by the end of the header's name."""
PATIENCE = 10
"""The refused calls that an address may make before it is banned."""
FIRST_BAN_MS, LONGEST_BAN_MS = 120_000, 3 * 86_400_000
ADVICE = "Please use the websocket for live updates to avoid"


class _Address:
    """One address: the weight used in this minute, the number of refused calls, and its ban, ms."""

    def __init__(self) -> None:
        self.minute = -1
        self.used = 0
        self.refused = 0
        self.ban_ms = 0
        self.banned_until = 0


class Limits:
    """Counts weight and orders; if not `enabled`, it refuses nothing."""

    def __init__(self, readings: Readings, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._readings = readings
        self._addresses: dict[str, _Address] = {}
        self._orders: dict[tuple[str, str], tuple[int, int]] = {}

    def admit(self, address: str, weight: int, now: int) -> None:
        """Count a call. Raises `Refusal` if it exceeds the limit, or the address is banned."""
        spent = self._of(address, now)
        if now < spent.banned_until:
            raise self.banned(address, spent.banned_until, now)
        spent.used += weight
        if not self.enabled or spent.used <= WEIGHT:
            return
        spent.refused += 1
        if spent.refused > PATIENCE:
            spent.ban_ms = min(2 * spent.ban_ms or FIRST_BAN_MS, LONGEST_BAN_MS)
            spent.banned_until, spent.refused = now + spent.ban_ms, 0
            raise self.banned(address, spent.banned_until, now)
        raise self.too_many(now)

    def order(self, account: str, count: int, now: int) -> None:
        """Count `count` orders. Raises `Refusal` if they exceed a limit."""
        for name, (span, most) in ORDERS.items():
            window, orders = now // span, self._placed(account, name, now)
            if self.enabled and orders + count > most:
                raise self.too_many_orders(name)
            self._orders[account, name] = (window, orders + count)

    def headers(self, address: str, now: int) -> dict[str, str]:
        """The header of every answer: the weight used in this minute, or by the reading `used_weight` -1."""
        counted = self._readings.used_weight == "counted"
        return {"X-MBX-USED-WEIGHT-1M": str(self._of(address, now).used if counted else -1)}

    def order_headers(self, account: str, now: int) -> dict[str, str]:
        """The further headers of an answer to an order: the account's orders in each window."""
        return {f"X-MBX-ORDER-COUNT-{name}": str(self._placed(account, name, now)) for name in ORDERS}

    def too_many_orders(self, name: str = "10S") -> Refusal:
        """Return the refusal of orders above the limit of this window."""
        span, most = ORDERS[name]
        text = "10 SECOND" if span == TEN_SECONDS_MS else "1 MINUTE"
        return Refusal(-1015, f"Too many new orders; current limit is {most} orders per {text}.")

    def too_many(self, now: int) -> Refusal:
        """Return the refusal of a call above the minute's weight."""
        return self.until(now + MINUTE_MS - now % MINUTE_MS, now)

    def until(self, then: int, now: int) -> Refusal:
        """Return the refusal, HTTP 429, of calls before `then`."""
        text = f"Too many requests; current limit is {WEIGHT} requests per minute. {ADVICE} polling the API."
        return Refusal(-1003, text, headers=self._wait(then - now))

    def banned(self, address: str, until: int, now: int) -> Refusal:
        """Return the refusal, HTTP 418, of an address that is banned until `until`."""
        text = f"Way too many requests; IP({address}) banned until {until}. {ADVICE} bans."
        return Refusal(-1003, text, status=418, headers=self._wait(until - now))

    def _wait(self, ms: int) -> Mapping[str, str]:
        return {"Retry-After": str(-(-ms // 1000))} if self._readings.retry_after == "sent" else {}

    def _of(self, address: str, now: int) -> _Address:
        spent = self._addresses.setdefault(address, _Address())
        if spent.minute != now // MINUTE_MS:
            spent.minute, spent.used = now // MINUTE_MS, 0
        return spent

    def _placed(self, account: str, name: str, now: int) -> int:
        window, orders = self._orders.get((account, name), (-1, 0))
        return orders if window == now // ORDERS[name][0] else 0
