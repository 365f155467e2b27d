"""A user's own session, proxy and TLS context are used for everything, and never closed."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from listenkey.ports.errors import ReadFailed

from ..certificates import Certificate, certificate
from .harness import fresh_key, served, streaming, venue_at
from .tunnels import proxy, tls

pytestmark = pytest.mark.loopback


@pytest.fixture(scope="module", name="certificate")
def fixture_certificate() -> Certificate:
    return certificate()


async def followed_through_proxy(transport: str) -> None:
    key = fresh_key()
    async with (
        served(key) as server,
        proxy() as between,
        streaming(server, transport, key=key, policy={}, proxy=between.url) as run,
    ):
        await run.live()
        await run.fills_made(10)
        await run.check()
        assert between.asked.count("CONNECT") or "/swap-market" in between.asked
        assert any(path != "/swap-market" for path in between.asked)
        assert len(server.log.openings) == 1


async def followed_through_tls(transport: str, certificate: Certificate) -> None:
    key = fresh_key()
    async with served(key) as server, tls(certificate.server, urlsplit(server.rest_url).port or 0) as front:
        secure: dict[str, Any] = {
            "rest_url": f"https://127.0.0.1:{front.port}",
            "ws_url": f"wss://127.0.0.1:{front.port}/swap-market",
        }
        async with venue_at(server, transport, key=key, policy={}, **secure) as distrusting:
            with pytest.raises(ReadFailed):
                await distrusting.account_snapshot()
        async with streaming(server, transport, key=key, policy={}, ssl_context=certificate.trusting, **secure) as run:
            await run.live()
            await run.fills_made(10)
            await run.check()
            assert front.asked


async def followed_in_a_session() -> None:
    key = fresh_key()
    paths: list[str] = []
    tracing = aiohttp.TraceConfig()

    async def note(_: object, __: object, params: aiohttp.TraceRequestStartParams) -> None:
        paths.append(params.url.path)

    tracing.on_request_start.append(note)
    async with aiohttp.ClientSession(trace_configs=[tracing]) as session, served(key) as server:
        async with streaming(server, "aiohttp", key=key, policy={}, http_session=session) as run:
            await run.live()
            await run.fills_made(10)
            await run.check()
        assert "/swap-market" in paths
        assert any(path.endswith("/balance") for path in paths)
        assert not session.closed
        async with session.get(f"{server.rest_url}/simulator/truth") as response:
            assert response.status == 200


def test_surroundings(certificate: Certificate) -> None:
    """A stream through the user's proxy, with the user's TLS context, or in the user's session loses nothing; without
    the user's context the server is not trusted; the session is open afterwards.
    """

    async def all_of_them() -> None:
        await asyncio.gather(
            *(followed_through_proxy(transport) for transport in ("aiohttp", "websockets")),
            *(followed_through_tls(transport, certificate) for transport in ("aiohttp", "websockets")),
            followed_in_a_session(),
        )

    asyncio.run(all_of_them())
