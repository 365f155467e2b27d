"""A WebSocket and what opens one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..core.refusal import Refusal
from .errors import HandshakeRefused, TransportFailed
from .service import Service


class Socket(Protocol):
    """An open WebSocket without permessage-deflate and without pings of its own; pings of the peer are answered."""

    def attend(self, heard: Callable[[], None]) -> None:
        """Call `heard` for each ping and pong of the peer, while frames are received, in the event loop's thread."""

    async def receive(self) -> bytes | str:
        """The next frame: `bytes` if binary, `str` if text. Raises `SocketEnded`, and again at every later call.

        A frame larger than the opener's `max_bytes` ends the socket with code 1009.
        """

    async def send(self, text: str) -> None:
        """Send a text frame. Raises `SocketEnded`."""

    async def ping(self) -> None:
        """Send a ping. Raises `SocketEnded`."""

    async def close(self, code: int = 1000) -> None:
        """Close, waiting at most a second for the peer; a `receive` under way raises. Idempotent, never raises."""


class SocketDialer(Protocol):
    """Opens sockets by URL."""

    async def dial(self, url: str, *, timeout: float, max_bytes: int) -> Socket:
        """An open socket within `timeout` seconds. Raises `HandshakeRefused` or `TransportFailed`, free of the URL."""

    async def close(self) -> None:
        """Release what dialling needs, unless the user handed it in. Never raises."""


class Handshake(Protocol):
    """A venue's knowledge of how the private stream of a listen key is opened. It dials nothing."""

    def turn(self) -> Service[float]:
        """Wait until it may be dialled; when that is. Raises `RequestRefused`, which is no failing call."""

    def url(self, key: str) -> str:
        """Return the URL to dial."""

    def refusal(self, error: HandshakeRefused | TransportFailed) -> Refusal:
        """Why dialling it failed, classified."""


class SocketOpener(Protocol):
    """Opens the private stream of one listen key: a `Handshake` over a `SocketDialer`."""

    async def open(self, key: str) -> Socket:
        """An open socket. Raises `RequestRefused` with the venue's reason, classified."""
