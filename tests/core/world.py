"""A connection, its venue, and everything between them, on virtual time; every step is judged."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.dialect import Dialect
from listenkey.core.events import AccountUpdate, ExchangeEvent, Fill, GapNotice, Health, HealthChange, OrderState
from listenkey.core.link.lifecycle import State
from listenkey.core.policy import Mode, Policy
from listenkey.core.refusal import Refusal, RefusalKind

from .judge import Judge

EPOCH = 1_700_000_000_250
RETRY = Refusal(RefusalKind.RETRY, "busy")
GONE = Refusal(RefusalKind.GONE, "gone")
FATAL = Refusal(RefusalKind.FATAL, "no rights")
T = TypeVar("T")
Happening = inputs.Input | Callable[[], object]


class Venue(Protocol):
    """The venue that answers a connection: it is handed each action, and plans its answers in the world."""

    world: World[Any]

    @property
    def dialect(self) -> Dialect: ...

    def perform(self, action: actions.Action) -> None: ...


V = TypeVar("V", bound=Venue)


class World(Generic[V]):
    """One account at one venue, and the process that follows it, which a script may kill and start again."""

    def __init__(self, exchange: V, *, seed: int = 0, mode: Mode = "ws", start: bool = True, **policy: Any) -> None:
        self.exchange = exchange
        exchange.world = self
        self._connect = partial(Connection, exchange.dialect, Policy(**policy), seed=seed, mode=mode)
        self.connection = self._connect()
        self.judge = Judge(self.connection)
        self.now = 0.0
        self.open: dict[int, str] = {}
        """The sockets open at the venue's end, with their keys; those in `mute` bring nothing."""
        self.mute: set[int] = set()
        self.log: list[tuple[float, inputs.Input | actions.Action]] = []
        self.inputs: list[tuple[float, inputs.Input]] = []
        """The inputs with the times given to the connection, which may go backwards."""
        self.states: list[State] = [State.IDLE]
        """The lifecycle's states in their order."""
        self.delivered: list[ExchangeEvent] = []
        self.restarts = 0
        self._wakes_at: float | None = None
        self._unread: list[inputs.Input] = []
        self._order = itertools.count()
        self._plan: list[tuple[float, int, int | None, Happening]] = []
        if start:
            self.feed(inputs.Start())

    @property
    def exchange_ms(self) -> int:
        return exchange_ms(self.now)

    # Commands of a script

    def feed(self, received: inputs.Input, *, now: float | None = None) -> list[actions.Action]:
        """Hand in an input now or at another time; while the process sleeps, the input waits."""
        if self._wakes_at is not None:
            self._unread.append(received)
            return []
        at = self.now if now is None else now
        ordered = self.connection.handle(received, now=at)
        self.now = max(self.now, at)
        self.inputs.append((at, received))
        self.log.extend((self.now, each) for each in (received, *ordered))
        if self.connection.state is not self.states[-1]:
            self.states.append(self.connection.state)
        self.judge.step(self.now, received, ordered)
        for action in ordered:
            if isinstance(action, actions.CloseSocket):
                self.open.pop(action.socket, None)
            elif isinstance(action, actions.Deliver):
                self.delivered.append(action.event)
            self.exchange.perform(action)
        return ordered

    def at(self, when: float, what: Happening) -> None:
        """Plan this for that time."""
        heapq.heappush(self._plan, (max(when, self.now), next(self._order), None, what))

    def answer(self, when: float, what: Happening) -> None:
        """Plan this for that time, unless its process is killed before."""
        heapq.heappush(self._plan, (when, next(self._order), self.restarts, what))

    def run(self, until: float) -> World[V]:
        """Let time pass; planned inputs go before the connection's timers of the same time."""
        while True:
            deadline = self.connection.deadline if self._wakes_at is None else self._wakes_at
            planned = self._plan[0][0] if self._plan else math.inf
            if min(planned, deadline) > until:
                self.now = max(self.now, until)
                return self
            self.now = max(self.now, min(planned, deadline))
            if planned <= self.now:
                _, _, process, what = heapq.heappop(self._plan)
                if process in (None, self.restarts):
                    what() if callable(what) else self.feed(what)
            else:
                unread, self._unread, self._wakes_at = self._unread, [], None
                for received in (inputs.Tick(), *unread):
                    self.feed(received)

    def passes(self, seconds: float) -> World[V]:
        return self.run(self.now + seconds)

    def sleep_until(self, when: float) -> World[V]:
        """Put the process to sleep from now on; inputs that come before it wakes are read afterwards."""
        self._wakes_at = when
        return self

    def restart(self) -> None:
        """Kill the process and start it again, with a journal of everything delivered."""
        began = self.connection.began
        self.connection = self._connect()
        self.judge = Judge(self.connection, self.judge)
        self.restarts += 1
        self.open.clear()
        self.mute.clear()
        self._wakes_at, self._unread = None, []
        known = None if began is None else inputs.Checkpoint(began, self.judge.proven, tuple(self.delivered))
        self.feed(inputs.Start(known))

    def drop(self, socket: int | None = None, refusal: Refusal | None = None) -> list[actions.Action]:
        """Break a socket, by default the leader's; frames on their way are lost."""
        broken = self.leader if socket is None else socket
        self.open.pop(broken, None)
        return self.feed(inputs.SocketClosed(broken, 1006, refusal))

    def silence(self) -> None:
        """Keep every socket open, and let none of them bring anything."""
        self.mute.update(self.open)

    def drop_all(self) -> None:
        for socket in tuple(self.open):
            self.drop(socket)

    # Views of a script

    @property
    def leader(self) -> int:
        return self.connection.links[0].socket

    @property
    def successor(self) -> int:
        return self.connection.links[1].socket

    @property
    def state(self) -> str:
        """The lifecycle's state as a plain word, so that a script may compare it more than once."""
        return self.connection.state

    @property
    def health(self) -> str:
        return self.connection.health

    @property
    def gap_open(self) -> bool:
        return self.judge.gap_open

    def seen(self, kind: type[T]) -> list[T]:
        """All inputs or actions of this type."""
        return [thing for _, thing in self.log if isinstance(thing, kind)]

    def times(self, kind: type) -> list[float]:
        """The times of all inputs or actions of this type."""
        return [round(now, 6) for now, thing in self.log if isinstance(thing, kind)]

    def count(self, kind: type) -> int:
        return len(self.seen(kind))

    def outline(self, *kinds: type) -> list[str]:
        """The names of all actions in their order, or of these types only."""
        return [type(thing).__name__ for _, thing in self.log if isinstance(thing, kinds or actions.Action)]

    def summary(self, since: float = 0.0, *, account: bool = False) -> list[str]:
        """Return what was delivered since then, a line an event, without health and by default without the account."""
        left_out = {"HEALTH"} if account else {"HEALTH", "ACCOUNT_UPDATE", "BALANCE_CHANGE"}
        words = []
        for event in (each.event for now, each in self.log if now >= since and isinstance(each, actions.Deliver)):
            word = event.kind.value
            if word in left_out:
                continue
            if isinstance(event, GapNotice):
                word += f" {event.reason.value}" + ("" if event.kind == "GAP_OPENED" else f" {event.recovered}")
            elif isinstance(event, OrderState):
                word += f" {event.order_id} {event.cumulative_qty} {event.source}"
            elif isinstance(event, AccountUpdate):
                word += f" {event.source}"
            words.append(word)
        return words

    def events(self, kind: type[T]) -> list[T]:
        """All delivered events of this type."""
        return [event for event in self.delivered if isinstance(event, kind)]

    @property
    def gaps(self) -> list[tuple[str, str]]:
        """Kind and reason of each gap notice."""
        return [(event.kind.value, event.reason.value) for event in self.events(GapNotice)]

    @property
    def healths(self) -> list[Health]:
        return [event.health for event in self.events(HealthChange)]

    @property
    def anomalies(self) -> list[str]:
        return [report.anomaly.name for report in self.seen(actions.Report)]

    @property
    def marks(self) -> list[int]:
        """Every `MarkProven`, in ms since the world began."""
        return [mark.until - EPOCH for mark in self.seen(actions.MarkProven)]

    def fills(self, order_id: str | None = None) -> list[Fill]:
        return [event for event in self.events(Fill) if order_id in (None, event.order_id)]

    def order_states(self, order_id: str | None = None) -> list[OrderState]:
        """All delivered states without the fills."""
        states = [event for event in self.events(OrderState) if not isinstance(event, Fill)]
        return [event for event in states if order_id in (None, event.order_id)]

    def intervals(self, order_id: str | None = None) -> list[tuple[str, str, str]]:
        """(from, to, source) of each fill, in the order of delivery."""
        return [
            (str(event.cumulative_qty - event.fill_qty), str(event.cumulative_qty), event.source)
            for event in self.fills(order_id)
        ]


def exchange_ms(when: float) -> int:
    """The venue's clock at that time of the world, ms."""
    return 0 if when == math.inf else EPOCH + round(when * 1000)
