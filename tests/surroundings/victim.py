"""A process that trades, follows its account on a journal, and prints each step, until it is killed.

    python -m tests.surroundings.victim JOURNAL

It prints `made ORDER AT` when an order was executed, and `delivered ORDER` before it asks for the next event.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio

from listenkey.adapters.journal import SqliteJournal
from listenkey.core.events import Fill

from .account import Customer, Place, Service
from .life import venue_of

PLACE = Place("bingx-swap", "open-api.bingx.com")


def someone() -> Customer:
    """Return a new account to trade with."""
    return Customer("V", PLACE, "user-9", 9000)


def say(word: str, *details: object) -> None:
    """Write one line at once."""
    os.write(1, " ".join(map(str, (word, *details))).encode() + b"\n")


async def follow(path: Path) -> None:
    """Follow the account, and execute an order at every event, so that it never ends."""
    customer = someone()
    journal = SqliteJournal(path)
    journal.claim(*customer.place, customer.api_keys[0])
    async with venue_of(Service(customer, customer.api_keys[0]), journal=journal).subscribe() as stream:
        async for event in stream:
            if isinstance(event, Fill):
                say("delivered", event.order_id)
            fill = customer.trade()
            say("made", fill.order_id, fill.at)


if __name__ == "__main__":
    anyio.run(follow, Path(sys.argv[1]))
