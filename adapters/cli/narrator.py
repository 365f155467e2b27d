"""What happens to a stream, told in plain lines: one for each notable thing, and once a second how many fills came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from ...core.events import Health
from .board import Board

TURN = 0.1


async def narrate(board: Board, write: Callable[[str], Awaitable[None]]) -> None:
    """Tell until cancelled."""
    told, next_summary = 0, board.clock() + 1
    while True:
        await flush(board, write)
        now, fills = board.clock(), board.counts["fills"]
        if now >= next_summary:
            next_summary = now + 1
            if fills > told and board.health is Health.LIVE:
                await write(f"{_time(board, now)}  {fills - told} fills, {fills} in all")
                told = fills
        await anyio.sleep(TURN)


async def flush(board: Board, write: Callable[[str], Awaitable[None]]) -> None:
    """Tell what is notable and has not been told."""
    while board.notable:
        at, text = board.notable.popleft()
        await write(f"{_time(board, at)}  {text}")


def _time(board: Board, at: float) -> str:
    return f"{at - board.started:6.1f} s"
