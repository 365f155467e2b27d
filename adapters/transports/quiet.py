"""Keeps our own requests, and no others, out of the logs of httpx2.

httpx2 logs the URL of each request at INFO, query and all, and httpcore2 logs the headers of each response at DEBUG,
where a redirect repeats the URL. Going beneath httpx2 to a bare transport would avoid the first but not the second,
and would shut out the user's own client. So a filter stands on those loggers and drops a record only when it is made
in a context that is inside `quiet()`: levels, handlers and the user's own requests stay as they were.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar

# A filter sees only what is logged through its own logger, not through those below it: hence each by name.
LOGGERS = (
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
    "httpcore2.proxy",
    "httpcore2.socks",
)

_ours: ContextVar[bool] = ContextVar("listenkey_request", default=False)


class _NotOurs(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not _ours.get()


_NOT_OURS = _NotOurs()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop what the libraries of `LOGGERS` log during the body."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_NOT_OURS)  # a second call has no effect
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)
