"""A connection with the real dialect and simulated answers, on virtual time: no socket, no clock, no waiting."""

from __future__ import annotations

from listenkey.adapters.venues.registry import family
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import ExchangeEvent
from listenkey.core.policy import Policy
from listenkey.core.secrets import SIGNATURES, Secrets

from .desk import EPOCH, KEY, SECRET, Desk
from .wires import BINGX, Frame, Wire

VALIDITY = 3600.0


class Stage:
    """Answers all actions of its connection at once: keys, sockets, and reads of the desk. It begins LIVE."""

    def __init__(self, wire: Wire = BINGX, policy: Policy | None = None) -> None:
        self.desk = Desk(wire=wire)
        dialect = family(wire.venue).dialect(wire.venue)
        self.connection = Connection(dialect, policy, seed=1, secrets=_secrets())
        self.now = 0.0
        self.sockets: list[int] = []
        self.counts: dict[str, int] = {}
        self.events: list[ExchangeEvent] = []
        self.feed(inputs.Start())
        if wire.greeting is None:
            self.feed(inputs.Heard(self.sockets[0]))
        else:
            self.hear(wire.greeting)

    @property
    def exchange_ms(self) -> int:
        """The exchange's clock, ms."""
        return EPOCH + int(self.now * 1000)

    def hear(self, frame: Frame) -> None:
        """Bring a frame on every open socket."""
        for socket in tuple(self.sockets):
            self.feed(inputs.FrameReceived(socket, frame))

    def feed(self, received: inputs.Input) -> None:
        """Hand over an input, and answer the actions."""
        waiting = self.connection.handle(received, now=self.now)
        while waiting:
            action, *waiting = waiting
            answer = self._grant(action)
            if answer is not None:
                waiting += self.connection.handle(answer, now=self.now)

    def _grant(self, action: actions.Action) -> inputs.Input | None:
        name = type(action).__name__
        self.counts[name] = self.counts.get(name, 0) + 1
        match action:
            case actions.Deliver(event):
                self.events.append(event)
            case actions.CreateKey(request):
                return inputs.KeyGranted(request, f"key{request}", VALIDITY, self.exchange_ms)
            case actions.RenewKey(request, key):
                return inputs.KeyRenewed(request, key)
            case actions.OpenSocket(socket):
                self.sockets.append(socket)
                return inputs.SocketOpened(socket)
            case actions.CloseSocket(socket):
                self.sockets.remove(socket)
                return inputs.SocketClosed(socket)
            case actions.ReadAccount(request, since, orders):
                return inputs.AccountRead(request, self.desk.read(since, orders, self.exchange_ms))
            case _:
                pass
        return None


def _secrets() -> Secrets:
    """Return as many secrets as a stream has after some time."""
    secrets = Secrets((KEY, SECRET))
    for number in range(SIGNATURES):
        secrets.sign(f"{number:064x}")
    return secrets
