"""A process that follows an account with a journal, and prints delivered events as lines, until it is killed.

    python survivor.py TRANSPORT REST_URL WS_URL JOURNAL DELAY

The API key is read from standard input. A line that is on standard output has been delivered; the event before it is
marked. Each event takes the consumer DELAY seconds.
"""

from __future__ import annotations

import os
import sys

import anyio

from listenkey import open_venue
from listenkey.core.policy import Policy


async def follow(*given: str) -> None:
    """Print every event."""
    transport, rest_url, ws_url, journal, delay = given
    key = sys.stdin.readline().strip()
    policy = Policy(silence_timeout=2, healthy_after=0.5, backoff_initial=0.3, backoff_max=0.5, backfill_overlap=1)
    venue = open_venue(
        "bingx-swap",
        api_key=key,
        api_secret=key[::-1],
        rest_url=rest_url,
        ws_url=ws_url,
        transport=transport,
        policy=policy,
        journal=journal,
    )
    async with venue, venue.subscribe() as stream:
        async for event in stream:
            os.write(1, event.to_json() + b"\n")
            if delay != "0":
                await anyio.sleep(float(delay))


if __name__ == "__main__":
    anyio.run(follow, *sys.argv[1:])
