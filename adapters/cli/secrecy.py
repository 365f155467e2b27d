"""Nothing secret leaves by a message: whatever looks like a key or a signature, or is one of ours, becomes stars."""

from __future__ import annotations

import logging
import os
import re
import sys

from ...core.secrets import pieces

KEY_VARIABLE, SECRET_VARIABLE = "LISTENKEY_API_KEY", "LISTENKEY_API_SECRET"
_LONG = re.compile(r"[0-9A-Za-z_-]{40,}")
_BEFORE_HOST = re.compile(r"(?<![^\s='\"])[^\s:/@='\"]*:\S*@")
"""User and password, as in the URL of a proxy."""


def redacted(text: str) -> str:
    """The text as one line without secrets."""
    for name in (KEY_VARIABLE, SECRET_VARIABLE):
        for secret in pieces(os.environ.get(name, "")):
            if len(secret) >= 4:
                text = text.replace(secret, "***")
    return " ".join(_LONG.sub("***", _BEFORE_HOST.sub("***@", text)).split())


def say(text: str) -> None:
    """One line on standard error, if anybody reads it."""
    if sys.stderr is None:
        return
    try:
        print(redacted(text), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


class StderrHandler(logging.Handler):
    """Log records, each as one line on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        say(sentence(record))


def sentence(record: logging.LogRecord) -> str:
    """A record in one line; an exception is named, its traceback is not shown."""
    text = f"{record.levelname.lower()}: {record.name}: {record.getMessage()}"
    error = record.exc_info[1] if record.exc_info else None
    return redacted(text if error is None else f"{text} ({type(error).__name__}: {error})")


def log_to(handler: logging.Handler, level: str) -> None:
    """All logging goes here, and nowhere else."""
    logging.captureWarnings(True)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
