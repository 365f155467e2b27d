"""Warnings on the log of `listenkey`: each at first, and then less and less often, so that it never floods.

Messages of refusals and anomalies hold no secrets: they are redacted where they arise, whole, before they are cut.
Messages of services that are not our own are searched here once more.
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
    """Requests by what they are for; each that is granted makes an end of those refused before it."""

    def __init__(self, over: Callable[[], bool] = lambda: False, secrets: Secrets | None = None) -> None:
        self._over = over
        """True if the stream has ended: then the consumer sees why."""
        self._secrets = Secrets() if secrets is None else secrets
        self._in_a_row: Counter[str] = Counter()

    def refused(self, what: str, refusal: Refusal) -> None:
        """A request was refused, or failed."""
        if self._over():
            return
        self._in_a_row[what] += 1
        if _is_worth_it(self._in_a_row[what]):
            why = refusal.message or refusal.code or refusal.kind.value
            _log.warning("%s failed (%d in a row): %s", what, self._in_a_row[what], self.clean(why))

    def granted(self, what: str) -> None:
        """A request was granted."""
        del self._in_a_row[what]

    def clean(self, text: str) -> str:
        """The text without what is secret."""
        return self._secrets.redact(text)

    def anomaly(self, found: Anomaly) -> None:
        """The core has met something that should not be."""
        if _is_worth_it(found.count):
            _log.warning("%s (%d so far): %s", found.name, found.count, self.clean(found.detail))


def _is_worth_it(count: int) -> bool:
    """The first, the second, the fourth, the eighth."""
    return count & (count - 1) == 0
