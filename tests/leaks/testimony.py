"""All text that an error or a log record holds for those who show it: chains, notes, arguments, local variables."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator


def of_error(error: BaseException) -> Iterator[str]:
    """All that a reporter could show of the error and of those behind it, shown or not; but no local of a test."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is None or found in seen:
            continue
        seen.append(found)
        yield f"{found} {found!r} {found.args!r} {getattr(found, '__notes__', None)} {vars(found)!r}"
        for frame, line in traceback.walk_tb(found.__traceback__):
            name = frame.f_code.co_filename
            if "/tests/" not in name:
                yield f"{name}:{line} " + " ".join(map(repr, frame.f_locals.values()))
        waiting += [found.__cause__, found.__context__]
        if isinstance(found, BaseExceptionGroup):
            waiting += found.exceptions


class Ears(logging.Handler):
    """Hears everything that anybody logs, with its arguments, but for threads of this name."""

    def __init__(self, but: str = "") -> None:
        super().__init__(logging.DEBUG)
        self._but = but
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.threadName == self._but:
            return
        self.said.append(f"{record.name} {record.getMessage()} {record.args!r} {record.exc_info!r}")
        for each in (*(record.args if isinstance(record.args, tuple) else ()), *(record.exc_info or ())):
            if isinstance(each, BaseException):
                self.said += of_error(each)
