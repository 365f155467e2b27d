"""A refusal by an outside party, and its consequence for the next attempt."""

from __future__ import annotations

from enum import Enum

import msgspec

UNREACHED = "unreached"
"""The `code` of a request that never got as far as the venue, which therefore cannot count it as failed."""

PUT_OFF = "put off"
"""The `code` of a read that was not begun, since what is more urgent may need what it would use of a limit."""


class RefusalKind(Enum):
    """The consequence of a refusal."""

    RETRY = "retry"
    """Try again, not before `retry_after`."""
    GONE = "gone"
    """The key does not exist any more."""
    FATAL = "fatal"
    """No attempt can succeed until a person changes something."""


class Refusal(msgspec.Struct, frozen=True):
    """A classified refusal: the venue's `code` and `message` (redacted), and seconds to wait, if it named them.

    Without a code it is not known whether the venue has seen the request; with `UNREACHED` it has not.
    """

    kind: RefusalKind
    code: str | None = None
    message: str = ""
    retry_after: float | None = None
