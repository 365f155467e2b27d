"""How many examples a property is tried on: few every time, many in `make soak`."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("LISTENKEY_EXAMPLES", "1"))
"""So many times as many as in `make test`."""
