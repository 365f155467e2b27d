"""The table that docs/why.md shows, cell by cell."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from .accident import ACCIDENTS, EMPTY, Make, Outcome, after, wallets


async def table(makes: Sequence[Make]) -> list[tuple[str, ...]]:
    """Return a row for each accident: its word, its text, and a cell for each follower. All accidents run at once."""
    async with asyncio.TaskGroup() as group:
        lives = [group.create_task(after(accident, makes)) for accident in ACCIDENTS]
        reads = group.create_task(wallets(makes))
    rows = [
        (accident.word, accident.what, *map(cell, life.result()))
        for accident, life in zip(ACCIDENTS, lives, strict=True)
    ]
    return [*rows, (*EMPTY, *map(balance, reads.result()))]


def cell(outcome: Outcome) -> str:
    """Return the cell of an outcome: the numbers of lost and doubled fills, and if a loss was noticed."""
    if outcome.doubled:
        return f"{outcome.doubled} doubled"
    if not outcome.lost:
        return "none lost, none doubled"
    return f"{outcome.lost} lost, {'an error was seen' if outcome.warnings else 'and no sign of it'}"


def balance(said: Decimal | str | None) -> str:
    """Return a balance as text, or the error in its place."""
    return f"raises `{said}`" if isinstance(said, str) else f"says {said}"
