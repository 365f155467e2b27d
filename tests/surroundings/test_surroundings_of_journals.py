"""Under all changes of journals, every fill comes to its account's consumer at least once, and to no other."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from ..examples import TIMES
from .story import Story

STORIES = 6
STEPS = 40

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("seed", range(STORIES * TIMES))
async def test_whatever_is_done_to_journals(tmp_path: Path, seed: int) -> None:
    """Under starts, stops, deaths, other accounts and environments, new API keys, copies, moves, deletions and second
    streams, allowed streams continue, others are refused, and in the end each journal has delivered all due fills.
    """
    log: list[str] = []
    try:
        async with anyio.create_task_group() as tasks:
            story = Story(tmp_path, seed, tasks, log)
            for _ in range(STEPS):
                await story.step()
            await story.end()
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
        failure.add_note("\n".join(log))
        raise failure from None
