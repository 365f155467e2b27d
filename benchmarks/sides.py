"""The checkouts that are compared: each measures itself, in its own processes and with its own benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from . import probe

PATIENCE = 60.0
"""Seconds in which a probe must end after its last pass."""


class Broken(Exception):
    """A side could not be measured: it failed, or measured other packages."""


class Greeting(msgspec.Struct, frozen=True):
    """The first line of a probe: its packages, what it lacks to measure its subject, and the costs of preparation."""

    packages: list[str]
    missing: str
    costs: probe.Costs


class Checkout:
    """A folder with the packages `listenkey` and `benchmarks`."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self._root = root.resolve()
        self._packages = [str(self._root / folder) for folder in ("benchmarks", "listenkey")]
        for folder in self._packages:
            if not (Path(folder) / "__init__.py").is_file():
                raise Broken(f"{root} is no checkout: it has no {Path(folder).name}/__init__.py")

    @contextmanager
    def probe(self, subject: str, *, quick: bool, seed: int) -> Iterator[Probe]:
        """Start a new process that measures the subject; `seed` is the seed of its hashes."""
        command = [sys.executable, "-c", Path(probe.__file__).read_text(), subject, "quick" if quick else "full"]
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        environment.pop("PYTHONSAFEPATH", None)  # its folder goes before installed packages
        with subprocess.Popen(
            command, cwd=self._root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            try:
                yield Probe(process, f"{self.name}, {subject}", self._packages)
                process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                raise Broken(f"{self.name}, {subject}: its process does not end") from None
            finally:
                process.kill()
        if process.returncode:
            raise Broken(f"{self.name}, {subject}: its process has failed")


class Probe:
    """A process that measures one subject, pass by pass, on demand."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, packages: list[str]) -> None:
        self._process, self._name, self._packages = process, name, packages

    def ready(self) -> Greeting:
        """Wait for its greeting, once."""
        greeting = msgspec.json.decode(self._line(), type=Greeting)
        if greeting.packages != self._packages:
            raise Broken(f"{self._name}: measured {greeting.packages}, not {self._packages}")
        return greeting

    def one(self) -> probe.Costs:
        """Measure one more pass and return its costs."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:  # its error is on standard error
            raise Broken(f"{self._name}: its process has ended") from None
        return msgspec.json.decode(self._line(), type=probe.Costs)

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Broken(f"{self._name}: its process has ended")
        return line
