"""Fixtures for the commands: a simulated exchange for them to use, and processes that end with the tests."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from listenkey import __main__
from listenkey.adapters.venues.registry import SIMULATED

from ...loopback.threaded import threaded
from .commands import API_KEY, API_SECRET, Command, Demo, Ended, Exchange, Start, Typed

CREDENTIALS = {"LISTENKEY_API_KEY": API_KEY, "LISTENKEY_API_SECRET": API_SECRET}


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Starts a command; commands that still run when the tests of a file are over are killed."""
    running: list[Command] = []

    def run(*arguments: str, out: Any = subprocess.PIPE, **variables: str) -> Command:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LISTENKEY_")}
        command = Command(arguments, {**environment, **CREDENTIALS, **variables}, out)
        running.append(command)
        return command

    yield run
    for command in running:
        if command.process.poll() is None:
            command.process.kill()
        command.process.communicate()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    """Runs a command line in this process, which is faster than a new one; for command lines that end at once."""
    endings = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = [(each, signal.getsignal(each)) for each in endings]
    monkeypatch.setattr(__main__, "log_to", lambda *_: None)

    def run(*arguments: str, **variables: str) -> Ended:
        for name in [name for name in os.environ if name.startswith("LISTENKEY_")]:
            monkeypatch.delenv(name)
        for name, value in {**CREDENTIALS, **variables}.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        code = __main__.main(arguments)
        return Ended(code, *capfd.readouterr())

    yield run
    for each, handler in before:
        signal.signal(each, handler)


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """A simulated exchange in a thread of this process, on which orders are filled all the time."""
    with threaded(API_KEY, api_secret=API_SECRET, fills_per_second=4, ping_interval=0.5) as server:
        server.quiet(False)
        yield Exchange(server.rest_url, server.ws_url)


@pytest.fixture(scope="module")
def demos(start: Start, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Demo]:
    """Starts the demo of each venue before the first test; the last tests check how these ended.

    A demo takes half a minute, so the demos run beside the other tests.
    """
    begun: dict[str, Demo] = {}
    for venue in SIMULATED:
        path = tmp_path_factory.mktemp("demo") / "out"
        with path.open("w") as out:
            begun[venue] = Demo(start("demo", "--venue", venue, "--json", out=out), path)
    return begun
