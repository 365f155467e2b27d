"""A task beside its user's: no scope and no nursery encloses what the user does, so all that happens there passes as it
is, and the user may come back in another task, or in none that is still running.

Ctrl-C is meant for the user's task. asyncio sees to that; trio raises it wherever unprotected code runs, so there what
runs in the background is protected, and an interruption that strikes it all the same is passed on.
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
"""An event loop of asyncio forgets a task that nobody holds."""


def start(work: Work) -> EventLoopToken:
    """Run it in the background, until the event loop ends at the latest; which loop that is. It must raise nothing."""
    asyncio = sys.modules.get("asyncio")  # where nobody has imported it, its loop does not run
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
    """Return the part as it runs in a task of its own in the background, safe from Ctrl-C."""
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
