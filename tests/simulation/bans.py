"""Checks that a process sends no request before a ban of the venue is over."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from listenkey.ports.http import HttpResponse

from .setup import EPOCH
from .violation import Violation

LOCKS = frozenset({418, 429})
SLACK = 3.0
"""Seconds. A lock of 1.5 s may be waited out, and the exchange's clock may be off by 1 s."""
_UNTIL = re.compile(rb"banned until ([0-9]{13})")


class Bans:
    """The bans that one process has received. Requests sent before the answer arrived do not count."""

    def __init__(self) -> None:
        self._until = float("-inf")

    def answered(self, now: float, response: HttpResponse) -> None:
        """An answer has arrived; only those of Binance, which alone name a used weight, can set a ban."""
        if response.status in LOCKS and "x-mbx-used-weight-1m" in response.headers:
            named = _UNTIL.search(response.body)
            if named is not None:
                self._until = max(self._until, (int(named[1]) - EPOCH) / 1000)
            self._until = max(self._until, now + float(response.headers.get("retry-after", 0.0)))

    def asked(self, now: float, url: str) -> None:
        """A request is sent: raise if a ban is not over yet."""
        if now < self._until - SLACK:
            left = self._until - now
            raise Violation("attempts-bounded", f"{urlsplit(url).path} is asked {left:.1f} s before the ban is over")
