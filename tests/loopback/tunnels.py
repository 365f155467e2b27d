"""Proxies and TLS between a user and a venue: they copy bytes and count connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()


async def _join(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, first: bytes = b""
) -> None:
    far_reader, far_writer = await asyncio.open_connection(host, port)
    try:
        far_writer.write(first)
        copies = [
            asyncio.create_task(_copy(reader, far_writer)),
            asyncio.create_task(_copy(far_reader, writer)),
        ]
        _, pending = await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        for copy in pending:
            copy.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
    finally:
        far_writer.close()


class Tunnel:
    """The number of requests by target."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""
        self.port = 0


@asynccontextmanager
async def proxy() -> AsyncIterator[Tunnel]:
    """Run an HTTP proxy: CONNECT opens a tunnel, and a request with an absolute URL is sent to its host."""
    tunnel = Tunnel()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ValueError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
            tunnel.asked.append(method if method == "CONNECT" else parts.path)
            assert parts.hostname is not None
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                head = b""
            await _join(reader, writer, parts.hostname, parts.port or 80, head)
        writer.close()

    async with _listening(serve, None) as port:
        tunnel.url, tunnel.port = f"http://127.0.0.1:{port}", port
        yield tunnel


@asynccontextmanager
async def socks(user: str, password: str) -> AsyncIterator[Tunnel]:
    """Run a SOCKS 5 proxy that requires this name and password."""
    tunnel = Tunnel()
    account = bytes([1, len(user)]) + user.encode() + bytes([len(password)]) + password.encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            _, methods = await reader.readexactly(2)
            assert 2 in await reader.readexactly(methods)
            writer.write(b"\x05\x02")
            assert await reader.readexactly(len(account)) == account
            writer.write(b"\x01\x00")
            _, command, _, kind = await reader.readexactly(4)
            assert (command, kind in (1, 3)) == (1, True)
            if kind == 1:
                host = ".".join(map(str, await reader.readexactly(4)))
            else:
                host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
            port = int.from_bytes(await reader.readexactly(2))
            tunnel.asked.append(f"{host}:{port}")
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            await _join(reader, writer, host, port)
        writer.close()

    async with _listening(serve, None) as port:
        tunnel.port = port
        yield tunnel


@asynccontextmanager
async def tls(context: ssl.SSLContext, port: int) -> AsyncIterator[Tunnel]:
    """Run TLS in front of a local port."""
    tunnel = Tunnel()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel.asked.append("tls")
        with suppress(OSError):
            await _join(reader, writer, "127.0.0.1", port)
        writer.close()

    async with _listening(serve, context) as own_port:
        tunnel.port = own_port
        yield tunnel


@asynccontextmanager
async def _listening(serve: object, context: ssl.SSLContext | None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)  # type: ignore[operator]
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)
