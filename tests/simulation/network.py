"""The network: latencies, streams that keep their order, and partitions, during which nothing arrives."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from listenkey.adapters.simulator.seeds import seeded
from listenkey.ports.http import HttpResponse

from .agenda import Agenda
from .weather import Weather


class Control(Enum):
    """A control frame of the WebSocket protocol, which is no message."""

    PING = "ping"
    PONG = "pong"


Data = bytes | str | Control
"""A binary message, a text or a control frame."""


class Server(Protocol):
    """The exchange's end of the network."""

    def accept(self, url: str) -> Conn | HttpResponse:
        """A handshake arrives."""

    def heard(self, conn: Conn, said: str | Control) -> None:
        """A text or control frame comes on a socket."""

    def answer(self, method: str, url: str) -> HttpResponse | None:
        """A request arrives; return its answer, None for none."""

    def left(self, conn: Conn) -> None:
        """The client has closed a socket."""


class Client(Protocol):
    """The client's end of a socket."""

    def arrives(self, conn: Conn, data: Data) -> None:
        """A frame has arrived."""

    def ended(self, conn: Conn, code: int | None) -> None:
        """The peer has closed, or the connection is broken."""


class Network:
    """Carries calls, handshakes and frames. Times are seconds; only faults lose anything."""

    def __init__(self, agenda: Agenda, weather: Weather, seed: int) -> None:
        self.agenda = agenda
        self.server: Server
        self._weather = weather
        self._random = seeded(seed, "network")

    def latency(self) -> float:
        """Return a random latency of one way, seconds."""
        return 0.004 + min(self._random.expovariate(50), 0.3)

    @property
    def trickles(self) -> bool:
        """True if answers come so slowly, byte by byte, that no client's time-out ends the wait."""
        fault = self._weather.on("slow_mint")
        return fault is not None and fault.variant == "trickle"

    def resumes(self, stream: bool) -> float:
        """Return when data sent now leaves: TCP repeats it after a partition or a stall."""
        clear = self._weather.clears("partition")
        if stream:
            clear = max(clear, self._weather.clears("stall"))
        if clear > self.agenda.now:
            clear += self._random.random() * min(5.0, (clear - self.agenda.now) / 4)
        return clear

    def call(self, method: str, url: str, answered: Callable[[HttpResponse], None]) -> None:
        """Send a request. One that is delayed past its time-out is still carried out, but its answer reaches nobody."""
        self.agenda.at(self.resumes(stream=False) + self.latency(), self._arrive, method, url, answered)

    def _arrive(self, method: str, url: str, answered: Callable[[HttpResponse], None]) -> None:
        response = self.server.answer(method, url)
        if response is None:
            return
        took = self.latency()
        if self._weather.on("rest_slow"):
            took += self._random.uniform(1.0, 9.0) if self._random.random() < 0.3 else 0.5
        if self._weather.on("slow_mint") and method == "POST":
            took += self._random.uniform(11.0, 20.0)
        self.agenda.at(self.resumes(stream=False) + took, answered, response)

    def dial(self, url: str, answered: Callable[[Conn | HttpResponse], None]) -> None:
        """Send a handshake."""
        self.agenda.at(self.resumes(stream=False) + 3 * self.latency(), self._handshake, url, answered)

    def _handshake(self, url: str, answered: Callable[[Conn | HttpResponse], None]) -> None:
        response = self.server.accept(url)
        when = self.resumes(stream=False) + self.latency()
        if isinstance(response, Conn):
            response.last = when
        self.agenda.at(when, answered, response)


class Conn:
    """One TCP connection with a WebSocket on it. Frames keep their order; each side knows its own end of it."""

    __slots__ = (
        "_network",
        "client",
        "client_open",
        "dead",
        "key",
        "last",
        "lingers",
        "mute",
        "server_open",
        "silent",
        "unanswered_since",
    )

    def __init__(self, network: Network, key: str) -> None:
        self._network = network
        self.key = key
        self.client: Client | None = None
        self.client_open = True
        self.server_open = True
        self.dead = False
        """No data passes any more, and neither side is notified."""
        self.silent = False
        """The server sends nothing of the account on it."""
        self.mute = False
        """The server does not even ping on it."""
        self.last = 0.0
        self.lingers = False
        """We have closed it, and still get the frames that were on their way."""
        self.unanswered_since: float | None = None

    def send(self, data: Data) -> None:
        """The server sends a frame."""
        if self.server_open and not self.dead:
            self._down(self._arrive, data)

    def server_ends(self, code: int | None) -> None:
        """The server closes with a code, or resets with None; a reset loses the data on its way."""
        if self.dead:
            return
        if code is None:
            self.dead = True
            when = self._network.resumes(stream=False) + self._network.latency()
            self._network.agenda.at(when, self._ended, None)
        else:
            self._down(self._ended, code)

    def say(self, said: str | Control) -> None:
        """The client sends a text, a ping or a pong."""
        if not self.dead:
            network = self._network
            network.agenda.at(network.resumes(stream=True) + network.latency(), self._heard, said)

    def client_closes(self) -> bool:
        """The client closes; True if the server's answer will come soon."""
        self.client_open = False
        if self.dead:
            return False
        when = self._network.resumes(stream=True)
        self._network.agenda.at(when + self._network.latency(), self._left)
        return when <= self._network.agenda.now

    def _down(self, what: Callable[..., None], *details: Any) -> None:
        when = max(self.last, self._network.resumes(stream=True) + self._network.latency())
        self.last = when
        self._network.agenda.at(when, what, *details)

    def _arrive(self, data: Data) -> None:
        if (self.client_open or self.lingers) and not self.dead and self.client is not None:
            self.client.arrives(self, data)

    def _ended(self, code: int | None) -> None:
        if self.client_open and self.client is not None:
            self.client_open = False
            self.client.ended(self, code)

    def _heard(self, said: str | Control) -> None:
        self._network.server.heard(self, said)

    def _left(self) -> None:
        if self.server_open:
            self._network.server.left(self)
