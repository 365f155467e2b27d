"""Keeps secrets out of messages: our own secrets, and all that looks like a key or signature, become stars."""

from __future__ import annotations

import logging
import os
import re
import sys

from ...core.secrets import pieces

KEY_VARIABLE, SECRET_VARIABLE = "LISTENKEY_API_KEY", "LISTENKEY_API_SECRET"
_LONG = re.compile(r"[0-9A-Za-z_-]{40,}")
_BEFORE_HOST = re.compile(r"(?<![^\s='\"])[^\s:/@='\"]*:\S*@")
"""Matches user and password, as in the URL of a proxy."""


def redacted(text: str) -> str:
    """Return the text as one line without secrets."""
    for name in (KEY_VARIABLE, SECRET_VARIABLE):
        for secret in pieces(os.environ.get(name, "")):
            if len(secret) >= 4:
                text = text.replace(secret, "***")
    return " ".join(_LONG.sub("***", _BEFORE_HOST.sub("***@", text)).split())


def say(text: str) -> None:
    """Write one line on standard error, if it has a reader."""
    if sys.stderr is None:
        return
    try:
        print(redacted(text), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


class StderrHandler(logging.Handler):
    """Writes log records on standard error, each as one line."""

    def emit(self, record: logging.LogRecord) -> None:
        say(sentence(record))


def sentence(record: logging.LogRecord) -> str:
    """Return a record as one line; an exception is named, without its traceback."""
    text = f"{record.levelname.lower()}: {record.name}: {record.getMessage()}"
    error = record.exc_info[1] if record.exc_info else None
    return redacted(text if error is None else f"{text} ({type(error).__name__}: {error})")


def log_to(handler: logging.Handler, level: str) -> None:
    """Send all log records to this handler alone."""
    logging.captureWarnings(True)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
