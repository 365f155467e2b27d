"""The bounds of every transport."""

from __future__ import annotations

ANSWER_BYTES = 16 * 1024 * 1024
"""The most bytes of an answer's body, before and after inflating. A full page of BingX fills is below 1 MiB."""

REFUSAL_BYTES = 4096
"""The bytes of a refused handshake's body that are kept: enough for a venue's code and message."""

CLOSE_SECONDS = 1.0
"""The seconds that a peer has to answer a close frame, and to close TCP after one."""

KEPT_SECONDS = 60.0
"""The seconds for which an idle connection is kept: a new one would cost a recovery two or three round trips."""
