"""Finds out the account of an API key that is new to a journal, before the journal's content is delivered.

The venue is asked until it answers. The answer to the balances may name the account; if that proves nothing, orders of
the journal are asked for, which only their own account can see.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from ...core.backoff import Backoff
from ...core.refusal import RefusalKind
from ...core.reports import OrderRef
from ...ports.errors import RequestRefused
from ...ports.journal import OwnedJournal
from ...ports.reader import AccountReader
from ...ports.service import Service
from ..executors.tasks import TaskExecutor
from .warnings import Warnings

ASKING = "asking whose account it is"
RETRY_INITIAL = 1.0
RETRY_MAX = 60.0


async def recognition(journal: OwnedJournal, executor: TaskExecutor, reader: AccountReader, warnings: Warnings) -> None:
    """Return when the journal is recognised. Raises `JournalRefused`, or `RequestRefused` for a fatal refusal."""
    retry = Backoff(RETRY_INITIAL, RETRY_MAX)
    while not journal.recognised:
        try:
            account_id = (await executor.run(reader.read(None))).account_id
            found = await executor.run(_found(reader, journal.witnesses(account_id)))
        except RequestRefused as error:
            if error.refusal.kind is RefusalKind.FATAL:
                raise
            warnings.refused(ASKING, error.refusal)
            await anyio.sleep(max(retry.delay(), error.refusal.retry_after or 0.0))
        else:
            journal.recognise(account_id, found)


def _found(reader: AccountReader, orders: Sequence[OrderRef]) -> Service[set[OrderRef]]:
    """Those of the orders that the venue knows, by the order itself or by a fill."""
    if not orders:
        return set()
    account = yield from reader.read(None, orders)
    known = {OrderRef(report.symbol, report.order_id) for report in account.orders}
    known |= {OrderRef(row.symbol, row.order_id) for row in account.fills}
    return known & set(orders)
