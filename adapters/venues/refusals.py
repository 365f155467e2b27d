"""Refusals that are the same at every venue, and what a venue says as one line without anything secret."""

from __future__ import annotations

import re

from ...core.refusal import UNREACHED, Refusal, RefusalKind
from ...core.secrets import Secrets
from ...ports.errors import RequestRefused

_SECRET = re.compile(r"[A-Za-z0-9_+/-]{32,}")
_STARS = re.compile(r"\*{3,}")
_LONGEST_MESSAGE = 200
NONE = Secrets()


def unanswered(reached: bool, message: str, retry_after: float | None = None) -> Refusal:
    """Return the refusal of a request without an answer; not `reached` where it was not even sent."""
    return Refusal(RefusalKind.RETRY, None if reached else UNREACHED, message, retry_after)


def malformed(what: str) -> RequestRefused:
    """An answer that is a success by its code and cannot be understood: nothing is known, so try again."""
    return RequestRefused(Refusal(RefusalKind.RETRY, None, f"unexpected answer: {what}"))


def redacted(text: str, secrets: Secrets = NONE) -> str:
    """One short line without what is secret, and without anything long enough to be a key or a signature.

    It is searched as it will be seen, without letters that are not printed, and cut only then.
    """
    line = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
    return _STARS.sub("***", _SECRET.sub("***", secrets.redact(line)))[:_LONGEST_MESSAGE]
