"""A user's own session, proxy and TLS context are used for everything, and never closed."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest

from listenkey.ports.errors import ReadFailed

from .harness import fresh_key, served, streaming, venue_at
from .tunnels import proxy, tls

pytestmark = pytest.mark.loopback


class Certificate(NamedTuple):
    """One that nobody trusts but who is told to."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder: Path = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "keyUsage=digitalSignature,keyCertSign"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("the openssl command is not installed")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return Certificate(server, ssl.create_default_context(cafile=str(cert)))


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
    """A stream through the user's proxy, with the user's TLS context, or in the user's session is as whole as any;
    without the user's context the same server is not trusted; the session is open afterwards.
    """

    async def all_of_them() -> None:
        await asyncio.gather(
            *(followed_through_proxy(transport) for transport in ("aiohttp", "websockets")),
            *(followed_through_tls(transport, certificate) for transport in ("aiohttp", "websockets")),
            followed_in_a_session(),
        )

    asyncio.run(all_of_them())
