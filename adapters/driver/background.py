"""Runs a task in the background, without a scope or nursery around the user's code: the user's exceptions stay as they
are, and the stream may be left in another task than it was entered in.

Ctrl-C is meant for the user's task. asyncio raises it there; trio raises it in any unprotected code. So on trio the
background is protected, and an interruption that comes there all the same is passed on.
"""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from anyio.lowlevel import EventLoopToken, current_token

from ..transports.interruption import passed_on

if TYPE_CHECKING:
    import asyncio

Work = Callable[[], Coroutine[Any, Any, None]]
Part = Callable[..., Coroutine[Any, Any, None]]

_running: set[asyncio.Task[None]] = set()
"""The tasks on asyncio: its event loop keeps only weak references to tasks."""


def start(work: Work) -> EventLoopToken:
    """Run `work` in the background, at most until the event loop ends; return that loop. `work` must raise nothing."""
    asyncio = sys.modules.get("asyncio")  # if it is not imported, its loop does not run
    try:
        task = asyncio.get_running_loop().create_task(work()) if asyncio is not None else None
    except RuntimeError:
        task = None
    if task is None:
        import trio

        trio.lowlevel.spawn_system_task(_passing_on, work, context=contextvars.copy_context())
    else:
        _running.add(task)
        task.add_done_callback(_running.discard)
    return current_token()


def protected(part: Part) -> Part:
    """Return the part protected from Ctrl-C, for a background task of its own."""
    trio = sys.modules.get("trio")
    if trio is None or not trio.lowlevel.in_trio_task():
        return part

    async def run(*details: Any) -> None:
        with passed_on():
            await part(*details)

    guarded: Part = trio.lowlevel.enable_ki_protection(run)
    return guarded


async def _passing_on(work: Work) -> None:
    with passed_on():
        await work()
