"""The driver's sockets: each is opened, read and closed once, and the connection is informed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from listenkey.core import inputs
from listenkey.ports.errors import HandshakeRefused, TransportFailed
from listenkey.ports.http import HttpResponse
from listenkey.ports.socket import Handshake

from .network import Conn, Control, Data, Network
from .tasks import Once, spawn

if TYPE_CHECKING:
    from .process import Process

DIAL_TIMEOUT = 10.0
CLOSE_WAIT = 1.0
"""Seconds that the driver waits for a peer's answer to a close frame."""


class Held:
    """A socket as the driver holds it."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.conn: Conn | None = None
        self.closing_at: float | None = None
        self.heard_at: float | None = None


class Sockets:
    """The sockets by number. With `lingering`, frames that come while a socket is being closed still count."""

    def __init__(self, process: Process, network: Network, handshake: Handshake, *, lingering: bool) -> None:
        self.held: dict[int, Held] = {}
        self._process = process
        self._agenda = process.agenda
        self._network = network
        self._lingering = lingering
        self._handshake = handshake

    def hold(self, socket: int, key: str) -> None:
        """Begin to open a socket."""
        self.held[socket] = Held(key)
        self._process.soon(lambda: spawn(self._handshake.turn(), self._process.services, partial(self._open, socket)))

    def close(self, socket: int) -> None:
        """Begin to close a socket, which may have ended at this very moment."""
        held = self.held.get(socket)
        if held is not None:
            self._process.soon(partial(self._close, socket, held))

    def say(self, socket: int, said: str | Control) -> None:
        """Send a text or a ping; on a socket that has just ended, do nothing."""
        held = self.held.get(socket)
        if held is not None and held.conn is not None:
            held.conn.say(said)

    def vanish(self) -> None:
        """The process has died: close its sockets."""
        for held in self.held.values():
            if held.conn is not None and held.conn.client_open:
                held.conn.client_closes()

    # What the network says

    def arrives(self, conn: Conn, data: Data) -> None:
        self._process.gate(conn, partial(self._frame, conn, data))

    def ended(self, conn: Conn, code: int | None) -> None:
        self._process.gate(conn, partial(self._closed_by_peer, conn, code))

    # From opening to the end

    def _open(self, socket: int, _place: float, error: Exception | None) -> None:
        if error is not None:
            raise error
        held = self.held.get(socket)
        if held is None or held.closing_at is not None:
            return

        process = self._process
        opening = Once(partial(self._dialled, socket, held))
        too_late = partial(opening, TransportFailed("no answer in time"))
        self._agenda.after(DIAL_TIMEOUT, process.gate, opening, too_late)

        def answered(response: Conn | HttpResponse) -> None:
            if isinstance(response, HttpResponse):
                status, headers, body = response
                process.gate(opening, partial(opening, HandshakeRefused(status, body, headers)))
                return
            response.client = self
            if process.over or opening.over:
                response.client_closes()
            process.gate(response, partial(opening, response))

        self._network.dial(self._handshake.url(held.key), answered)

    def _dialled(self, socket: int, held: Held, found: Conn | HandshakeRefused | TransportFailed) -> None:
        if held.closing_at is not None:
            if isinstance(found, Conn):
                found.client_closes()
        elif isinstance(found, Conn):
            held.conn = found
            held.heard_at = self._agenda.now
            self._feed(inputs.SocketOpened(socket))
        else:
            del self.held[socket]
            self._feed(inputs.SocketClosed(socket, None, self._handshake.refusal(found)))

    def _feed(self, received: inputs.Input) -> None:
        self._process.soon(partial(self._process.feed, received))

    def _close(self, socket: int, held: Held) -> None:
        if held.closing_at is not None or socket not in self.held:
            return
        held.closing_at = self._agenda.now
        wait = 0.0
        if held.conn is not None:
            held.conn.lingers = self._lingering
            quick = held.conn.client_open and held.conn.client_closes()
            wait = 2 * self._network.latency() if quick else CLOSE_WAIT
        self._agenda.after(wait, self._process.gate, held, partial(self._is_closed, socket, 1000))

    def _is_closed(self, socket: int, code: int | None) -> None:
        held = self.held.pop(socket, None)
        if held is not None:
            if held.conn is not None:
                held.conn.lingers = False
            self._process.feed(inputs.SocketClosed(socket, code))

    def _closed_by_peer(self, conn: Conn, code: int | None) -> None:
        for socket, held in tuple(self.held.items()):
            if held.conn is conn and held.closing_at is None:
                self._is_closed(socket, code)

    def _frame(self, conn: Conn, data: Data) -> None:
        for socket, held in self.held.items():
            if held.conn is conn:
                if held.closing_at is None:
                    held.heard_at = self._agenda.now
                if held.closing_at is None or conn.lingers:
                    self._process.feed(self._received(socket, conn, data))
                return
        if conn.client_open:  # opened, but the driver does not know it yet
            self._agenda.after(0.0, self._process.gate, conn, partial(self._frame, conn, data))

    def _received(self, socket: int, conn: Conn, data: Data) -> inputs.Input:
        """Return the input for a frame. Pings are answered below the driver, which only notes a sign of life."""
        if data is Control.PING:
            conn.say(Control.PONG)
        return inputs.Heard(socket) if isinstance(data, Control) else inputs.FrameReceived(socket, data)
