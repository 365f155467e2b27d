"""A random story of accounts and journals, with checks of every step.

There are four accounts: one, one of the same user in another environment, one whose balances have no id, and one of
another user. There are four names of files. Of a file its owner is known, and the fills that are due from it; the same
fills are due from a copy, and none from a deleted file.

A death is that of a driver: its descriptors are closed at any step, and nothing is stored or marked any more. The
effect of `kill -9` on a file is tested in `test_killed.py`, and by the tests of the journal.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from anyio.abc import TaskGroup

from listenkey.ports.errors import JournalRefused, ListenKeyError, StreamStopped

from .account import Customer, Place
from .life import Consumer, Life

REAL = Place("bingx-swap", "open-api.bingx.com")
DEMO = Place("bingx-swap-vst", "open-api-vst.bingx.com")
ENDS = ("", "-wal", "-shm", "-lock")
NAMES = ("one", "two", "three", "four")


class File:
    """A journal of the story: its customer, the number of fills before it, and the API keys that it has seen."""

    def __init__(self, customer: Customer, before: int, api_keys: frozenset[str] = frozenset()) -> None:
        self.customer = customer
        self.before = before
        self.api_keys = api_keys

    def copy(self) -> File:
        return File(self.customer, self.before, self.api_keys)

    @property
    def owed(self) -> set[str]:
        """The ids of orders that its customer must have dealt with in the end."""
        return {fill.order_id for fill in self.customer.fills[self.before :]}


class Story:
    """A story: `step` makes a random change, and `end` checks that every due fill has come."""

    def __init__(self, folder: Path, seed: int, tasks: TaskGroup, log: list[str]) -> None:
        self._folder = folder
        self._random = Random(seed)
        self._tasks = tasks
        self.customers = (
            Customer("A", REAL, "user-1", 1000),
            Customer("D", DEMO, "user-1", 2000),
            Customer("N", REAL, None, 3000),
            Customer("M", REAL, "user-2", 4000),
        )
        self._consumers = {customer.name: Consumer(customer) for customer in self.customers}
        self._files: dict[Path, File] = {}
        self._lives: dict[Path, Life] = {}
        self.log = log
        """The steps so far with their results, which are shown if a story fails."""
        self._steps: tuple[tuple[int, Callable[[], Coroutine[Any, Any, str | None]]], ...] = (
            (6, self._trade),
            (7, self._start),
            (5, self._start_another),
            (2, self._stop),
            (2, self._kill),
            (1, self._new_api_key),
            (2, self._copy),
            (2, self._move),
            (1, self._delete),
            (1, self._second_stream),
            (1, self._lock_removed),
        )

    async def step(self) -> None:
        """Make one step that is possible now."""
        weights = [weight for weight, _ in self._steps]
        done = None
        while done is None:
            [(_, move)] = self._random.choices(self._steps, weights)
            done = await move()
        self.log.append(done)

    async def end(self) -> None:
        """Start every journal once more for its account, and check that all due fills have come."""
        for path in list(self._lives):
            await self._end(path)
            self.log.append(f"{path.name} is stopped")
        for path, file in self._files.items():
            name = file.customer.name
            life = await self._begin(file.customer, path, adopt=True)
            assert life is not None, f"{path.name} is refused to {name}, whose it is"
            owed, done = file.owed, self._consumers[name].done
            await life.until(partial(owed.issubset, done))
            assert owed <= done, f"{path.name} owes {name} {sorted(owed - done)}: {life.error}"
            await life.stop()
            assert life.error is None, life.error

    # Steps

    async def _trade(self) -> str | None:
        customer = self._random.choice(self.customers)
        count = self._random.randint(1, 3)
        orders = {customer.trade().order_id for _ in range(count)}
        done = self._consumers[customer.name].done
        for path, life in list(self._lives.items()):
            if life.consumer.customer is customer:
                await life.until(lambda: orders <= done)
                assert not life.over, f"{path.name} has ended: {life.error}"
        return f"{customer.name} trades {sorted(orders)}"

    async def _start(self) -> str | None:
        """Start a stream of the file's customer, or of any customer if the file has none."""
        path = self._any_path()
        if path in self._lives:
            return None
        customer = self._files[path].customer if path in self._files else self._random.choice(self.customers)
        life = await self._begin(customer, path)
        return f"{customer.name} starts on {path.name}: {'goes on' if life else 'refused'}"

    async def _start_another(self) -> str | None:
        """Start a stream of another customer, or a second one while the file is in use; it must be refused."""
        idle = [path for path in self._files if path not in self._lives]
        among = idle if idle and self._random.random() < 0.7 else list(self._files)
        if not among:
            return None
        path = self._random.choice(among)
        file, running = self._files[path], path in self._lives
        others = [customer for customer in self.customers if running or customer is not file.customer]
        customer = self._random.choice(others)
        assert await self._begin(customer, path) is None, f"{path.name} of {file.customer.name} serves {customer.name}"
        return f"{customer.name} starts on {path.name} of {file.customer.name}{' in use' if running else ''}: refused"

    async def _stop(self) -> str | None:
        path = self._running()
        if path is None:
            return None
        await self._end(path)
        return f"{path.name} is stopped"

    async def _kill(self) -> str | None:
        path = self._running()
        if path is None:
            return None
        await self._lives.pop(path).kill()
        return f"{path.name} is killed"

    async def _new_api_key(self) -> str | None:
        customer = self._random.choice(self.customers)
        customer.new_api_key()
        return f"{customer.name} has a new API key"

    async def _copy(self) -> str | None:
        """Copy a journal, by another process, since closing a database drops the locks of one's own process."""
        source, target = self._two_paths()
        if source not in self._files or target in self._lives:
            return None
        _remove(target, ENDS)
        _copied(source, target)
        self._files[target] = self._files[source].copy()
        return f"{source.name} is copied to {target.name}{' while it is written' if source in self._lives else ''}"

    async def _move(self) -> str | None:
        source, target = self._two_paths()
        if source not in self._files or target in self._lives:
            return None
        _remove(target, ENDS)
        alone = source in self._lives and self._random.random() < 0.5
        for end in ENDS[:1] if alone else ENDS:
            if _with(source, end).exists():
                shutil.move(_with(source, end), _with(target, end))
        self._files[target] = self._files.pop(source)
        running = await self._notices(source)
        return f"{source.name} is moved to {target.name}{running}"

    async def _delete(self) -> str | None:
        path = self._any_path()
        if path not in self._files:
            return None
        _remove(path, self._random.choice((ENDS, ENDS[:1], ENDS[:3])))
        del self._files[path]
        running = await self._notices(path)
        _remove(path, ENDS)
        return f"{path.name} is deleted{running}"

    async def _second_stream(self) -> str | None:
        path = self._running()
        if path is None:
            return None
        try:
            async with self._lives[path].venue.subscribe():
                raise AssertionError(f"{path.name} has two streams")
        except StreamStopped as error:
            raise AssertionError(f"{path.name}: {error}") from error
        except ListenKeyError:
            return f"a second stream on {path.name}: refused"

    async def _lock_removed(self) -> str | None:
        """Remove the lock file beside the journal; a second stream is still refused."""
        path = self._running()
        if path is None:
            return None
        _with(path, "-lock").unlink(missing_ok=True)
        customer = self._lives[path].consumer.customer
        assert await self._begin(customer, path) is None, f"{path.name} has two writers"
        return f"the lock of {path.name} is removed; a second stream: refused"

    # Parts of steps

    async def _begin(self, customer: Customer, path: Path, *, adopt: bool = False) -> Life | None:
        """Start a stream with the newest API key; None if it was refused, and then nothing was delivered."""
        consumer, api_key = self._consumers[customer.name], customer.api_keys[-1]
        file, busy = self._files.get(path), path in self._lives
        may = not busy and (file is None or file.customer is customer)
        hangs_after = None if adopt else self._random.choice((None, None, 0, 1, 3))
        try:
            life = Life(consumer, api_key, path, adopt=adopt, hangs_after=hangs_after)
        except JournalRefused:
            assert not may, f"{path.name} is refused to {customer.name}"
            return None
        self._tasks.start_soon(life.run)
        await life.until(lambda: life.live)
        if isinstance(life.error, JournalRefused):
            assert life.delivered == 0, f"{path.name} has delivered something to {customer.name} before it was refused"
            known = file is not None and may and (api_key in file.api_keys or customer.user is not None)
            assert not known, f"{path.name} is refused to {customer.name}: {life.error}"
            return None
        assert life.error is None, f"{path.name}: {life.error}"
        assert may, f"{path.name} serves {customer.name}"
        if file is None:
            self._files[path] = file = File(customer, len(customer.fills))
        file.api_keys |= {api_key}
        self._lives[path] = life
        return life

    async def _end(self, path: Path) -> None:
        life = self._lives.pop(path)
        await life.stop()
        assert life.error is None, f"{path.name}: {life.error}"

    async def _notices(self, path: Path) -> str:
        """Check that a stream whose file is gone stops as soon as it stores something that a read has proven."""
        life = self._lives.pop(path, None)
        if life is None:
            return ""
        if not life.hangs:
            life.consumer.customer.trade()
            life.resync()
            await life.until(lambda: False)
        if life.hangs:
            await life.kill()
            return " while it is written, and killed"
        assert isinstance(life.error, StreamStopped), f"{path.name} is written on: {life.error}"
        return " while it is written: stopped"

    def _any_path(self) -> Path:
        return self._folder / self._random.choice(NAMES)

    def _two_paths(self) -> tuple[Path, Path]:
        source, target = self._random.sample(NAMES, 2)
        return self._folder / source, self._folder / target

    def _running(self) -> Path | None:
        return self._random.choice(list(self._lives)) if self._lives else None


def _copied(source: Path, target: Path) -> None:
    """Copy both files of the database in the same state: no other task runs meanwhile."""
    for end in ("", "-wal"):
        if _with(source, end).exists():
            subprocess.run(["cp", _with(source, end), _with(target, end)], check=True)


def _with(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _remove(path: Path, ends: tuple[str, ...]) -> None:
    for end in ends:
        _with(path, end).unlink(missing_ok=True)
