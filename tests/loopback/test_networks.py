"""Names with a dead address, SOCKS proxies and source addresses, for both transports, REST and socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import trio

from .harness import fresh_key, served, streaming
from .threaded import threaded
from .tunnels import proxy, socks

pytestmark = pytest.mark.loopback
TRANSPORTS = ("aiohttp", "websockets")
NAME = "exchange.test"
Resolve = Callable[..., list[Any]]


@contextmanager
def hole(port: int) -> Iterator[None]:
    """Make a port of 127.0.0.2 that does not answer: its queue is full, so that no TCP handshake is finished."""
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.2", port))
        hanging.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(hanging.getsockname())
        yield
        for each in waiting:
            each.close()


def resolving(real: Resolve, port: int) -> Resolve:
    """Resolve like the system, except for one name, whose first address is dead; libraries may use their URL's port."""

    def resolve(host: Any, *rest: Any, **named: Any) -> list[Any]:
        if host not in (NAME, NAME.encode()):
            return real(host, *rest, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    return resolve


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_second_address_is_tried_before_the_first_has_failed(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first address never fails within this test, and REST and socket use the second."""

    async def story() -> None:
        key = fresh_key()
        async with served(key) as server:
            port = urlsplit(server.rest_url).port or 0
            monkeypatch.setattr(socket, "getaddrinfo", resolving(socket.getaddrinfo, port))
            urls: dict[str, Any] = {"rest_url": f"http://{NAME}:{port}", "ws_url": f"ws://{NAME}:{port}/swap-market"}
            with hole(port):
                async with streaming(server, transport, key=key, policy={}, **urls) as run:
                    await run.live()
                    await run.fills_made(3)
                    await run.check()
                    assert len(server.log.openings) == 1

    asyncio.run(story())


def test_the_second_address_on_trio(monkeypatch: pytest.MonkeyPatch) -> None:
    """On trio too, REST and socket use the second address."""
    key = fresh_key()
    with threaded(key) as server:
        port = urlsplit(server.rest_url).port or 0
        monkeypatch.setattr(socket, "getaddrinfo", resolving(socket.getaddrinfo, port))
        urls: dict[str, Any] = {"rest_url": f"http://{NAME}:{port}", "ws_url": f"ws://{NAME}:{port}/swap-market"}

        async def story() -> None:
            async with streaming(server, "websockets", key=key, policy={}, **urls) as run:
                await run.live()
                await run.fills_made(3)
                await run.check()

        with hole(port):
            trio.run(story)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_everything_goes_through_a_proxy_of_socks(transport: str) -> None:
    """REST and socket use the proxy with name and password, and nothing passes beside it."""

    async def story() -> None:
        key = fresh_key()
        async with served(key) as server, socks("who", "what/else") as between:
            proxy = f"socks5://who:what%2Felse@127.0.0.1:{between.port}"
            async with streaming(server, transport, key=key, policy={}, proxy=proxy) as run:
                await run.live()
                await run.fills_made(3)
                await run.check()
                assert len(server.log.openings) == 1
                assert len(between.asked) >= 2
                assert set(between.asked) == {f"127.0.0.1:{urlsplit(server.rest_url).port}"}

    asyncio.run(story())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_everything_goes_through_the_proxy_of_the_environment(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `proxy="env"` REST and socket use the proxy of the environment."""

    async def story() -> None:
        key = fresh_key()
        async with served(key) as server, proxy() as between:
            monkeypatch.setenv("http_proxy", between.url)
            monkeypatch.setenv("no_proxy", "localhost")
            async with streaming(server, transport, key=key, policy={}, proxy="env") as run:
                await run.live()
                await run.fills_made(3)
                await run.check()
                assert len(server.log.openings) == 1
                assert "CONNECT" in between.asked or "/swap-market" in between.asked
                assert any("/openApi/swap/" in path for path in between.asked)

    asyncio.run(story())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_connections_are_made_from_the_address_that_was_chosen(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange sees the chosen source address in each connection."""
    came: set[str] = set()
    accept = socket.socket.accept

    def accepted(self: socket.socket) -> tuple[socket.socket, Any]:
        connection, address = accept(self)
        came.add(address[0])
        return connection, address

    monkeypatch.setattr(socket.socket, "accept", accepted)

    async def story() -> None:
        key = fresh_key()
        async with (
            served(key) as server,
            streaming(server, transport, key=key, policy={}, source_address="127.0.0.3") as run,
        ):
            await run.live()
            await run.fills_made(3)
            await run.check()
            assert len(server.log.openings) == 1

    asyncio.run(story())
    assert came == {"127.0.0.3"}
