"""Refusals that are the same at every venue, and texts of a venue as one line without secrets."""

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
    """Return the refusal of a request without an answer; `reached` is False if it was not sent at all."""
    return Refusal(RefusalKind.RETRY, None if reached else UNREACHED, message, retry_after)


def malformed(what: str) -> RequestRefused:
    """Return the refusal, RETRY, for a success that cannot be understood; `what` names it."""
    return RequestRefused(Refusal(RefusalKind.RETRY, None, f"unexpected answer: {what}"))


def redacted(text: str, secrets: Secrets = NONE) -> str:
    """Return one short line without secrets, and without anything long enough to be a key or a signature.

    Characters that are not printed are removed before the text is searched for secrets; it is cut after that.
    """
    line = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
    return _STARS.sub("***", _SECRET.sub("***", secrets.redact(line)))[:_LONGEST_MESSAGE]
