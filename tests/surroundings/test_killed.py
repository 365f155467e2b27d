"""`kill -9` of a real process: its journal serves no other account, before and after, and no fill is missed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from random import Random

import anyio
import pytest

from listenkey.adapters.journal import verify
from listenkey.ports.errors import JournalRefused

from ..examples import TIMES
from .account import Customer, Fill
from .life import Consumer, Life
from .victim import PLACE, someone

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("seed", range(2 * TIMES))
async def test_killed(tmp_path: Path, seed: int) -> None:
    """A second process is refused while the first runs, another account always; unmarked events come again."""
    path = tmp_path / "account.journal"
    customer, other = someone(), Customer("B", PLACE, "user-2", 2000)
    said = killed(path, Random(seed).randint(1, 300), (customer, other))
    customer.fills = [Fill(name, int(at)) for word, name, *rest in said if word == "made" for at in rest]
    delivered = [name for word, name, *_ in said if word == "delivered"]
    owed, consumer = {fill.order_id for fill in customer.fills}, Consumer(customer)
    consumer.done = set(delivered)
    async with anyio.create_task_group() as tasks:
        thief = Life(Consumer(other), other.api_keys[0], path)
        tasks.start_soon(thief.run)
        await thief.until(lambda: False)
        assert isinstance(thief.error, JournalRefused)
        assert thief.delivered == 0
        life = Life(consumer, customer.api_keys[0], path)
        tasks.start_soon(life.run)
        await life.until(lambda: owed <= consumer.done)
        assert owed <= consumer.done
        await life.stop()
    assert life.error is None
    assert verify(path) == []


def killed(path: Path, after: int, anybody: Iterable[Customer]) -> list[list[str]]:
    """Kill a process after `after` lines and return its lines, split; meanwhile its journal is refused to all."""
    command = [sys.executable, "-m", "tests.surroundings.victim", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as victim:
        assert victim.stdout is not None
        lines = list(islice(victim.stdout, after))
        for customer in anybody:
            with pytest.raises(JournalRefused, match="in use by another stream"):
                Life(Consumer(customer), customer.api_keys[0], path)
        victim.kill()
        lines += victim.stdout
    return [line.split() for line in lines if line.endswith("\n")]
