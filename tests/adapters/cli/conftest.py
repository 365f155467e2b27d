"""An exchange of their own for commands to talk to, and the commands, ended when the tests are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from .commands import API_KEY, API_SECRET, Command, Demo, Exchange, Start


@pytest.fixture(scope="session")
def start() -> Iterator[Start]:
    """Starts a command; what still runs at the end is killed."""
    running: list[Command] = []

    def run(*arguments: str, out: Any = subprocess.PIPE, **variables: str) -> Command:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LISTENKEY_")}
        credentials = {"LISTENKEY_API_KEY": API_KEY, "LISTENKEY_API_SECRET": API_SECRET}
        command = Command(arguments, {**environment, **credentials, **variables}, out)
        running.append(command)
        return command

    yield run
    for command in running:
        if command.process.poll() is None:
            command.process.kill()
        command.process.communicate()


@pytest.fixture
def exchange(start: Start) -> Iterator[Exchange]:
    """An exchange on which fills never cease."""
    running = Exchange(start("simulate", "--port", "0", "--fills-per-second", "4", "--ping-interval", "0.5"))
    yield running
    running.command.end(15)


@pytest.fixture(scope="module")
def demo(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo takes half a minute: it begins before the first test of it, and the last one looks at how it ended."""
    path = tmp_path_factory.mktemp("demo") / "out"
    with path.open("w") as out:
        return Demo(start("demo", "--json", out=out), path)
