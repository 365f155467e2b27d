"""A Python process of a test: its lines of output, its standard error, and signals to it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_LINE = 1 << 26


class Process:
    """A process in which warnings are errors; its output is taken line by line."""

    def __init__(self, process: asyncio.subprocess.Process, take: Callable[[bytes], None]) -> None:
        self.said: list[str] = []
        """Lines of standard error."""
        self._process = process
        self._take = take
        self._listening = asyncio.gather(self._lines(), self._murmurs())

    @property
    def ended(self) -> bool:
        """True if the process has ended."""
        return self._process.returncode is not None

    def order(self, line: bytes) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        if not self.ended:
            self._process.stdin.write(line + b"\n")

    def stop(self) -> None:
        """Stop it (SIGSTOP)."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continue it (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)

    async def end(self, seconds: float = 10) -> int:
        """Interrupt it, and kill it after `seconds`; return its exit code."""
        with suppress(ProcessLookupError):
            self.go_on()
            self._process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            self._process.kill()
        await self._listening
        return await self._process.wait()

    async def _lines(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.endswith(b"\n"):
                self._take(line)

    async def _murmurs(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.said.append(line.decode(errors="replace").rstrip())


@asynccontextmanager
async def running(
    arguments: Sequence[str], take: Callable[[bytes], None], environment: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """Run a Python with these arguments during the context."""
    process = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "error", *arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, **(environment or {})},
            cwd=ROOT,
            limit=LONGEST_LINE,
        ),
        take,
    )
    try:
        yield process
    finally:
        await process.end()
