"""The commands run as processes, with their output and exit code, and a client of the simulated exchange's control."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

API_KEY = "CanaryKeyQ7vXw2Lr9TbN4mZc8HdJ5sFgY1pKeU3aV6oWiB0"
API_SECRET = "CanarySecretM3nB8vC5xZ1lK7jH4gF9dS2aP6oI0uYtReWq"
WITHIN = 600.0


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Command:
    """A running `listenkey`."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], out: Any = subprocess.PIPE) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "listenkey", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def line(self) -> str:
        """Return the next line on standard output."""
        assert self.process.stdout is not None
        return str(self.process.stdout.readline())

    def end(self, signal: int | None = None) -> Ended:
        """Wait for the end, after a signal if one is given."""
        if signal is not None:
            self.process.send_signal(signal)
        try:
            out, err = self.process.communicate(timeout=WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
        return Ended(self.process.returncode, out or "", err or "")


class Exchange:
    """A simulated exchange in another thread or process, reached by its control paths."""

    def __init__(self, rest_url: str, ws_url: str) -> None:
        self.rest_url, self.ws_url = rest_url, ws_url
        self.flags = ("--rest-url", rest_url, "--ws-url", ws_url)

    def truth(self) -> dict[str, Any]:
        """Return the exchange's truth: its fills, orders, positions, wallets and log."""
        return self._ask("truth")

    def fault(self, name: str, **details: Any) -> None:
        """Start a fault now."""
        self._ask("fault", {"name": name, **details})

    def quiet(self) -> None:
        """Stop new activity on the exchange."""
        self._ask("quiet", {})

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.rest_url}/simulator/{path}", data, timeout=60) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found


class Simulate(Exchange):
    """A running `listenkey simulate`."""

    def __init__(self, command: Command) -> None:
        self.command = command
        urls = json.loads(command.line())
        super().__init__(urls["rest_url"], urls["ws_url"])


class Demo(NamedTuple):
    """A running demo, and the file of its standard output."""

    command: Command
    out: Path


Start = Callable[..., Command]
Typed = Callable[..., Ended]
