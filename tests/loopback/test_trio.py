"""The stream runs on trio as well as on asyncio."""

from __future__ import annotations

import pytest
import trio

from .harness import fresh_key, streaming
from .threaded import threaded

pytestmark = pytest.mark.loopback


def test_trio() -> None:
    """On trio, too, a rotation, a kill and a silent socket lose nothing and double nothing."""
    key = fresh_key()
    with threaded(key) as server:

        async def story() -> None:
            async with streaming(server, "websockets", key=key, policy={"silence_timeout": 1}) as run:
                await run.live()
                server.fault("drop_tcp", seconds=0.4)
                await run.until(lambda: "lost_socket" in run.consumer.gaps("RECONNECTED"), "reconnected")
                server.fault("silent")
                await run.until(lambda: "silent" in run.consumer.gaps("RECONNECTED"), "reconnected after the silence")
                openings = len(server.log.openings)
                run.stream.rotate()
                await run.until(lambda: len(server.log.openings) > openings, "rotated")
                await run.check()

        trio.run(story)
