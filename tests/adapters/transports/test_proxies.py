"""A proxy that refuses a connection: the venue has not been reached, and no password is shown."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from listenkey import ReadFailed, open_venue
from listenkey.adapters.transports import open_transport
from listenkey.ports.errors import TransportFailed

PASSWORD = "hunter2"
SAID = b64encode(f"user:{PASSWORD}".encode()).decode()


@asynccontextmanager
async def refusing() -> AsyncIterator[int]:
    """Yield the port of a proxy that refuses, with the credentials it was sent in its answer."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = b" ".join(line for line in head.split(b"\r\n") if line.startswith(b"Proxy-"))
        writer.write(b"HTTP/1.1 502 no\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def refusing_socks() -> AsyncIterator[int]:
    """Yield the port of a SOCKS proxy that accepts no password."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"\x05\xff")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize("transport", ["aiohttp", "websockets"])
def test_a_refusal_of_the_proxy_has_not_reached_the_venue(transport: str, scheme: str) -> None:
    """A refusal by the proxy is marked as not having reached the venue, so it does not count as failed there."""

    async def story() -> None:
        async with (refusing if scheme == "http" else refusing_socks)() as port:
            wires = open_transport(transport, proxy=f"{scheme}://user:{PASSWORD}@127.0.0.1:{port}")
            with pytest.raises(TransportFailed) as failed:
                await wires.http.request("GET", "https://127.0.0.1:1/", headers={}, timeout=60)
            assert not failed.value.reached
            await wires.close()

    asyncio.run(story())


def test_an_answer_of_the_proxy_itself_shows_no_password() -> None:
    """Without TLS a proxy may answer in place of the venue, and the credentials in its answer are starred."""

    async def story() -> str:
        async with refusing() as port:
            venue = open_venue(
                "bingx-swap",
                api_key="k",
                api_secret="s",
                rest_url="http://127.0.0.1:1",
                ws_url="ws://127.0.0.1:1/x",
                transport="websockets",
                proxy=f"http://user:{PASSWORD}@127.0.0.1:{port}",
            )
            async with venue:
                with pytest.raises(ReadFailed) as failed:
                    await venue.account_snapshot()
        return str(failed.value)

    said = asyncio.run(story())
    assert "Proxy-Authorization: Basic ***" in said
    assert SAID[:8] not in said
