"""The bounds that every transport keeps."""

from __future__ import annotations

ANSWER_BYTES = 16 * 1024 * 1024
"""The largest body of an answer, before and after inflating. A full page of BingX fills is under 1 MiB."""

REFUSAL_BYTES = 4096
"""How much of the body of a refused handshake is kept: enough for a venue's code and message."""

CLOSE_SECONDS = 1.0
"""How long a peer may take to answer a close frame, and to close TCP after one."""

KEPT_SECONDS = 60.0
"""How long a connection without a request is kept: opening one anew costs a recovery two or three journeys."""
