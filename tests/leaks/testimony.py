"""All text of an error or a log record: chains, notes, arguments and local variables."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator


def of_error(error: BaseException) -> Iterator[str]:
    """Yield all that a reporter could show of an error and its causes, without local variables of tests."""
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
    """Collects all log records with their arguments, except those of the thread with this name."""

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
