"""Follows many accounts in one process: `python examples/many_accounts.py accounts.toml`.

The file names accounts, and for each the environment variables that hold its API key and secret. An account that fails
does not disturb the others. A line is printed when the trust in an account changes, and for each fill.

    [accounts.desk-1]
    venue = "bingx-swap"
    variables = "DESK_1"        # DESK_1_API_KEY and DESK_1_API_SECRET

`rest_url` and `ws_url` lead to another place, such as `listenkey simulate`. Journals are kept beside the file.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import anyio

import listenkey


class Account(NamedTuple):
    """Where an account is, and who may read it."""

    name: str
    venue: str
    api_key: str
    api_secret: str
    journal: Path
    rest_url: str | None = None
    ws_url: str | None = None


def accounts(path: Path, environment: Mapping[str, str]) -> list[Account]:
    """The accounts of a file. Raises `KeyError` for a variable that is not set."""
    rows = tomllib.loads(path.read_text())["accounts"]
    return [
        Account(
            name=name,
            venue=row["venue"],
            api_key=environment[f"{row['variables']}_API_KEY"],
            api_secret=environment[f"{row['variables']}_API_SECRET"],
            journal=path.with_name(f"{name}.journal"),
            rest_url=row.get("rest_url"),
            ws_url=row.get("ws_url"),
        )
        for name, row in rows.items()
    ]


async def follow(account: Account) -> None:
    """Print what becomes of an account, until its stream ends or cannot go on."""
    try:
        async with (
            listenkey.open_venue(
                account.venue,
                api_key=account.api_key,
                api_secret=account.api_secret,
                rest_url=account.rest_url,
                ws_url=account.ws_url,
                journal=account.journal,
            ) as venue,
            venue.subscribe() as stream,
        ):
            async for event in stream:
                show(account.name, event)
    except listenkey.ListenKeyError as error:
        print(f"{account.name}: {type(error).__name__}: {error}", flush=True)


def show(name: str, event: listenkey.ExchangeEvent) -> None:
    """One line for what an operator wants to know; nothing for the rest."""
    again = " (again)" if event.redelivered else ""
    match event:
        case listenkey.Fill():
            print(f"{name}: {event.symbol} {event.side} {event.fill_qty} at {event.fill_price}{again}", flush=True)
        case listenkey.HealthChange():
            print(f"{name}: {event.health}", flush=True)
        case listenkey.GapNotice(kind=listenkey.ExchangeEventKind.GAP_CLOSED):
            print(f"{name}: {event.recovered} fills recovered, proven: {event.proven}{again}", flush=True)


async def main(path: Path) -> None:
    """All accounts at once, until each of them has ended."""
    async with anyio.create_task_group() as tasks:
        for account in accounts(path, os.environ):
            tasks.start_soon(follow, account)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        anyio.run(main, Path(sys.argv[1]))
