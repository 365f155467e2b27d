"""The stream runs on trio as well as on asyncio."""

from __future__ import annotations

import pytest
import trio

from .harness import fresh_key, read_at_rest, silent, streaming
from .threaded import threaded

pytestmark = pytest.mark.loopback


def test_trio() -> None:
    """On trio too, a rotation, a kill and a silent socket lose and double nothing."""
    key = fresh_key()
    with threaded(key) as server:

        async def story() -> None:
            async with streaming(
                server, "websockets", key=key, policy={"silence_timeout": 2, "audit_interval": 0}
            ) as run:
                await run.live()
                server.fault("drop_tcp", seconds=0.4)
                await run.until(lambda: "lost_socket" in run.consumer.gaps("RECONNECTED"), "reconnected")
                await silent(run, server)
                openings = len(server.log.openings)
                run.stream.rotate()
                await run.until(lambda: len(server.log.openings) > openings, "rotated")
                await read_at_rest(run, server)
                await run.check()

        trio.run(story)
