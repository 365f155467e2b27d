"""Writes lines on standard output, each complete before the next; a slow reader does not block the event loop."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys

import anyio

from .exits import Closed, Exit, Failure

_AT_ONCE = getattr(select, "PIPE_BUF", 512)
"""The number of bytes that a ready pipe takes without blocking."""


class Lines:
    """Writes to the descriptor of `sys.stdout`, which must not be used itself. Raises `Closed` if it has no reader."""

    def __init__(self) -> None:
        self.count = 0
        self._fd, self._waits = _standard_output()

    async def write(self, line: bytes) -> None:
        """Write a line; return when all of it is written. The event loop runs meanwhile."""
        rest = memoryview(line + b"\n")
        while rest:
            if self._waits:
                await anyio.wait_writable(self._fd)
            rest = rest[self._some(rest[:_AT_ONCE]) :]
        self.count += 1

    def write_now(self, line: bytes) -> None:
        """Write a line without an event loop."""
        rest = memoryview(line + b"\n")
        while rest:
            rest = rest[self._some(rest) :]
        self.count += 1

    def _some(self, data: memoryview) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EIO, errno.ESHUTDOWN, errno.ECONNRESET):
                raise Closed from None
            raise Failure(Exit.STOPPED, f"standard output cannot be written: {error.strerror}") from None


def _standard_output() -> tuple[int, bool]:
    """The descriptor of standard output, and True if a wait for it is possible: a file is always ready."""
    try:
        sys.stdout.flush()
        fd = sys.stdout.fileno()
        mode = os.fstat(fd).st_mode
    except (AttributeError, OSError, ValueError):
        raise Failure(Exit.USAGE, "standard output is closed") from None
    waits = os.name == "posix" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd))
    return fd, waits


def disown() -> None:
    """Discard what would still be flushed to standard output at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return
    finally:
        os.close(nowhere)
