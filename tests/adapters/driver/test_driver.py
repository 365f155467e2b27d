"""The driver ends cleanly after a read is given up, a run is cancelled, or the core raises."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence

import anyio
import pytest
import trio

from listenkey.adapters.driver import background
from listenkey.adapters.driver import driver as driver_module
from listenkey.adapters.driver.clock import SystemClock
from listenkey.adapters.driver.driver import Driver
from listenkey.adapters.executors.tasks import TaskExecutor
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.kinds import Purpose
from listenkey.core.policy import Policy
from listenkey.core.refusal import PUT_OFF, Refusal, RefusalKind
from listenkey.core.reports import Account, OrderRef
from listenkey.ports.errors import RequestRefused, StreamStopped
from listenkey.ports.http import HttpResponse
from listenkey.ports.keys import Grant
from listenkey.ports.service import Service, wait
from listenkey.ports.socket import Socket

pytestmark = pytest.mark.anyio


class Nobody:
    """A venue whose only service is a read that never ends."""

    def __init__(self) -> None:
        self.begun = self.given_up = 0

    def create(self) -> Service[Grant]:
        raise NotImplementedError

    def renew(self, key: str) -> Service[None]:
        raise NotImplementedError

    def delete(self, key: str) -> Service[None]:
        raise NotImplementedError

    async def open(self, key: str) -> Socket:
        raise NotImplementedError

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    def read(
        self, since: int | None, orders: Sequence[OrderRef] = (), *, purpose: Purpose = Purpose.SYNC
    ) -> Service[Account]:
        self.begun += 1
        try:
            yield from wait(math.inf)
        finally:
            self.given_up += 1
        raise AssertionError("unreachable")


class Short(Nobody):
    """A venue that puts off each read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = anyio.Event()

    def read(
        self, since: int | None, orders: Sequence[OrderRef] = (), *, purpose: Purpose = Purpose.SYNC
    ) -> Service[Account]:
        self.begun += 1
        self.asked.set()
        yield from wait(-math.inf)
        raise RequestRefused(Refusal(RefusalKind.RETRY, PUT_OFF, "others go first", 1000.0))


class Broken(Connection):
    """A connection that raises for each input."""

    def handle(self, received: inputs.Input, *, now: float) -> list[actions.Action]:
        raise ZeroDivisionError(type(received).__name__)


def driver_of(nobody: Nobody, policy: Policy, kind: type[Connection] = Connection) -> Driver:
    dialect = SwapDialect("bingx-swap")
    return Driver(
        kind(dialect, policy.over(dialect.policy), mode="poll"),
        TaskExecutor(nobody, SystemClock()),
        nobody,
        nobody,
        nobody,
        clock=SystemClock(),
        failure=lambda refusal: StreamStopped(refusal.message),
    )


def test_a_run_of_trio_ends_though_a_stream_is_open() -> None:
    """If a run of trio ends while a stream is open, the read is given up, and the consumer gets an error."""
    drivers: list[Driver] = []
    nobody = Nobody()

    async def story() -> None:
        drivers.append(driver_of(nobody, Policy()))
        background.start(drivers[0].run)
        while not nobody.begun:
            await trio.lowlevel.checkpoint()

    trio.run(story)
    assert nobody.given_up == 1
    with pytest.raises(StreamStopped, match="cancelled"):
        trio.run(drivers[0].backlog.get)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_core_that_raises_is_left_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that raises ends the driver without waiting, and the consumer gets the first error."""
    monkeypatch.setattr(driver_module, "CLOSING_TIME", 1e6)
    driver = driver_of(Nobody(), Policy(), Broken)
    with anyio.fail_after(60):
        await driver.run()
        with pytest.raises(ZeroDivisionError, match="Start"):
            await driver.backlog.get()


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_read_that_is_given_up_takes_no_turns_from_the_next(caplog: pytest.LogCaptureFixture) -> None:
    """A read that takes too long is given up; it ends when the next one begins, and is logged as failed."""
    nobody = Nobody()
    driver = driver_of(nobody, Policy(request_timeout=0.01))
    with anyio.fail_after(20), caplog.at_level(logging.WARNING, "listenkey"):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(driver.run)
            while nobody.begun < 3:
                await anyio.sleep(0.02)
                driver.feed(inputs.Resync())
            await anyio.sleep(0.02)
            assert nobody.given_up == nobody.begun - 1
            await driver.stop()
    assert nobody.given_up == nobody.begun
    assert caplog.messages[:2] == [
        f"reading the account failed ({count} in a row): given up before it was answered" for count in (1, 2)
    ]


async def test_a_read_that_is_put_off_has_not_failed(caplog: pytest.LogCaptureFixture) -> None:
    """A read that is put off is logged once as put off, and not as failed."""
    short = Short()
    driver = driver_of(short, Policy())
    with anyio.fail_after(60), caplog.at_level(logging.WARNING, "listenkey"):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(driver.run)
            await short.asked.wait()
            while not caplog.messages:
                assert short.begun == 1
                await anyio.sleep(0.02)
            await driver.stop()
    assert [message.partition(" (")[0] for message in caplog.messages] == ["read put off"]
