"""Warnings on the log of `listenkey`: a repeated one is logged less and less often, so that the log is not flooded.

Messages of refusals and anomalies contain no secrets: they are redacted where they arise, before they are cut.
Messages of services that are not our own are redacted here once more.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from ...core.actions import Anomaly
from ...core.refusal import Refusal
from ...core.secrets import Secrets

_log = logging.getLogger("listenkey")


class Warnings:
    """Counts refused requests by purpose, and anomalies; a granted request ends the count of its purpose."""

    def __init__(self, over: Callable[[], bool] = lambda: False, secrets: Secrets | None = None) -> None:
        self._over = over
        """True if the stream has ended: then the consumer gets the reason."""
        self._secrets = Secrets() if secrets is None else secrets
        self._in_a_row: Counter[str] = Counter()

    def refused(self, what: str, refusal: Refusal) -> None:
        """Log that a request was refused or failed."""
        if self._over():
            return
        self._in_a_row[what] += 1
        if _is_worth_it(self._in_a_row[what]):
            why = refusal.message or refusal.code or refusal.kind.value
            _log.warning("%s failed (%d in a row): %s", what, self._in_a_row[what], self.clean(why))

    def granted(self, what: str) -> None:
        """Note that a request was granted."""
        del self._in_a_row[what]

    def clean(self, text: str) -> str:
        """Return the text without secrets."""
        return self._secrets.redact(text)

    def anomaly(self, found: Anomaly) -> None:
        """Log an anomaly that the core reports."""
        if _is_worth_it(found.count):
            _log.warning("%s (%d so far): %s", found.name, found.count, self.clean(found.detail))


def _is_worth_it(count: int) -> bool:
    """True for the first, second, fourth, eighth and so on."""
    return count & (count - 1) == 0
