"""The list, in a file, of everything that is played over real sockets.

    python -m tests.loopback.listing

writes it anew, from the table of scenarios, the transports, and the wires of the simulated exchange.
"""

from __future__ import annotations

from pathlib import Path

from .scenarios import played

LISTING = Path(__file__).with_name("scenarios.txt")
HEAD = """\
# Each of these is played once in every `make test`: scenario | transport | wire.
# A scenario without frames of orders, which is the same on every wire, has none.
# Written by python -m tests.loopback.listing, from the tables in scenarios/.
"""


def written() -> str:
    """Return the text of the file from the tables."""
    return HEAD + "".join(f"{line}\n" for line in played())


if __name__ == "__main__":
    LISTING.write_text(written())
