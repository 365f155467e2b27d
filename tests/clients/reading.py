"""One client's answers, and their differences from the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from .comparison import Difference, View, differences
from .pace import Pace
from .table import Table

LONGEST = 200


class Reading:
    """Collects differences; a call that raises is one, and an answer that cannot be read too."""

    def __init__(self, client: str, pace: Pace) -> None:
        self.client = client
        self.differences: list[Difference] = []
        self.compared: Counter[str] = Counter()
        """The number of true rows that were compared, by subject."""
        self._pace = pace

    async def ask(
        self,
        subject: str,
        source: str,
        endpoint: str,
        call: Callable[[], Awaitable[Any]],
        read: Callable[[Any], Table],
        truth: Table,
    ) -> None:
        """Call this endpoint by the client's `source`, read the answer as a table, and compare it with the truth."""
        try:
            theirs = read(await self._pace(endpoint, call))
        except Exception as error:
            self.failed(subject, source, error)
        else:
            self.compare(subject, source, truth, theirs)

    def failed(self, subject: str, source: str, error: BaseException) -> None:
        """Note that a call raised."""
        message = f"{type(error).__name__}: {error}"[:LONGEST]
        self.differences.append(Difference(self.client, source, subject, "", "call", "answered", message))

    def compare(self, subject: str, source: str, truth: Table, theirs: Table) -> None:
        """Compare an answer that was read."""
        self.compared[subject] += len(truth)
        self.differences += differences(View(self.client, source, subject, truth, theirs))
