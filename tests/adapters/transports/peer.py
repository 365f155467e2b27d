"""A server on loopback, made of plain sockets and threads, whose behaviour the test chooses."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import anyio.to_thread

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Wire:
    """One accepted connection. Every wait of a handler ends when the test does."""

    def __init__(self, sock: socket.socket, stop: threading.Event) -> None:
        self.sock = sock
        self.stop = stop
        self.pending = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self, count: int) -> bytes:
        while len(self.pending) < count:
            part = self.sock.recv(65536)
            if not part:
                raise ConnectionError("the client is gone")
            self.pending += part
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def head(self) -> str:
        """Read the head of a request, up to its blank line."""
        while b"\r\n\r\n" not in self.pending:
            part = self.sock.recv(65536)
            if not part:
                raise ConnectionError("the client is gone")
            self.pending += part
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        return head.decode("latin-1")

    def answer(self, status: str, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.send("\r\n".join(lines).encode() + body)

    def upgrade(self) -> str:
        head = self.head()
        self.send(switching(head))
        return head

    def frame(self, opcode: int, data: bytes = b"", *, fin: bool = True) -> None:
        self.send(frame(opcode, data, fin=fin))

    def close_frame(self, code: int) -> None:
        self.frame(CLOSE, struct.pack("!H", code))

    def read_frame(self) -> tuple[int, bytes]:
        first, second = self.read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.read(8))
        mask = self.read(4)
        return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.read(size)))

    def until_gone(self) -> None:
        """Read and ignore data until the client ends the connection."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass

    def farewell(self) -> None:
        """Read until the client's close frame, and answer it."""
        while (got := self.read_frame())[0] != CLOSE:
            pass
        self.frame(*got)

    def hang(self) -> None:
        """Neither read nor write until the test is over."""
        self.stop.wait(10)

    def reset(self) -> None:
        """End the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Handler = Callable[[Wire], object]


def script(*actions: Handler) -> Handler:
    """Return a handler that does these actions in order."""

    def handler(wire: Wire) -> None:
        for action in actions:
            action(wire)

    return handler


def sending(data: bytes) -> Handler:
    """Return a handler that sends this data only."""
    return lambda wire: wire.send(data)


class Peer:
    """Listens on 127.0.0.1 and gives each connection to `handler` in a thread; `gone` gets an item as each ends."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self.handler = handler
        self.tls = tls
        self.stop = threading.Event()
        self.gone: queue.Queue[None] = queue.Queue()
        self.connections = 0
        self.failures: list[BaseException] = []
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def url(self, scheme: str, target: str = "/") -> str:
        return f"{scheme}{'s' if self.tls else ''}://127.0.0.1:{self.port}{target}"

    async def ended(self) -> bool:
        """True if a connection ends within three seconds."""

        def wait() -> bool:
            with contextlib.suppress(queue.Empty):
                self.gone.get(timeout=3)
                return True
            return False

        return await anyio.to_thread.run_sync(wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        if error is None and self.failures:
            raise self.failures[0]

    def _accept(self) -> None:
        while not self.stop.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        sock = raw
        try:
            raw.settimeout(10)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls is not None:
                sock = self.tls.wrap_socket(raw, server_side=True)
                self._sockets.append(sock)
            self.handler(Wire(sock, self.stop))
        except OSError:
            pass
        except BaseException as error:
            self.failures.append(error)
        finally:
            sock.close()
            self.gone.put(None)


def switching(head: str) -> bytes:
    """Return the 101 response to a handshake."""
    keys = [line[19:] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key: ")]
    key = keys[0] if keys else "none"
    accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())  # noqa: S324
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def frame(opcode: int, data: bytes = b"", *, fin: bool = True) -> bytes:
    """Return an unmasked frame."""
    size = len(data)
    if size < 126:
        length = bytes([size])
    elif size < 65536:
        length = b"\x7e" + struct.pack("!H", size)
    else:
        length = b"\x7f" + struct.pack("!Q", size)
    return bytes([(0x80 if fin else 0) | opcode]) + length + data
