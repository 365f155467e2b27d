"""A connection, a toy exchange and the faulty world between them, on virtual time; every step is checked."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import msgspec

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.dialect import Opening
from listenkey.core.events import AccountUpdate, ExchangeEvent, Fill, GapNotice, Health, OrderState
from listenkey.core.policy import Mode, Policy
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import (
    Account,
    AccountReport,
    ConfigReport,
    Heartbeat,
    KeyExpired,
    OrderReport,
    Report,
    Unreadable,
    Unrecognised,
)

from .exchange import Exchange, Push
from .toy import FAILING

EPOCH = 1_700_000_000_250
RETRY, FATAL = Refusal(RefusalKind.RETRY, "busy"), Refusal(RefusalKind.FATAL, "no rights")
LATENCY = 0.01
_SPOKEN: dict[str, type] = {
    "order": OrderReport,
    "account": AccountReport,
    "config": ConfigReport,
    "unknown": Unrecognised,
    "ping": Heartbeat,
    "expired": KeyExpired,
}
_WORDS = {kind: word for word, kind in _SPOKEN.items()}


def frame(report: Report) -> str:
    """The frame that says so."""
    return msgspec.json.encode([_WORDS[type(report)], report]).decode()


class Speech:
    """A pure dialect whose frames are the reports themselves."""

    name = "toy"
    policy: Mapping[str, float] = {}
    time_grain_ms = 1000
    failing_calls = FAILING
    counts_available = False

    def __init__(self, cumulative_costs: bool = False) -> None:
        self.cumulative_costs = cumulative_costs

    def decode(self, frame: bytes | str) -> tuple[Report, ...]:
        try:
            word, content = msgspec.json.decode(frame, type=tuple[str, Any])
            return (msgspec.convert(content, _SPOKEN[word]),)
        except (msgspec.MsgspecError, KeyError, UnicodeDecodeError) as error:
            return (Unreadable(str(error)),)

    def opening(self, socket: int) -> tuple[Opening, ...]:
        return ()


class SilentSpeech(Speech):
    """The same, of a venue that opens sockets for dead keys and says nothing to an idle account."""

    policy: Mapping[str, float] = {"probe_after": 30, "silence_timeout": 12, "renew_interval": 300, "delete_keys": 0}

    def probe(self, socket: int) -> tuple[Opening, ...]:
        return ()


class Plan(NamedTuple):
    """How a read goes: when it looks, how late lists show things (ms), or why it is refused; seconds otherwise."""

    begins: float = 0.02
    takes: float = 0.1
    lag: int = 0
    order_lag: int = 0
    refusal: Refusal | None = None
    history: int | None = None


NEVER = Plan(begins=math.inf)
REFUSED = Plan(refusal=RETRY)


class World:
    """`fates` names what becomes of the n-th frame of the exchange: its delays, one for each time that it arrives.

    A `silent` venue has one key for the account, pushes only to sockets of it, and answers pings whatever the key.
    """

    def __init__(
        self,
        *,
        wire: str = "l",
        mode: Mode = "ws",
        start: bool = True,
        cumulative: bool = False,
        silent: bool = False,
        **policy: float,
    ) -> None:
        self.now = 0.0
        self.exchange = Exchange(lambda: self.exchange_ms)
        self.exchange.listeners.append(self._push)
        numbers = Policy(**policy)  # type: ignore[arg-type]
        speech = SilentSpeech(cumulative) if silent else Speech(cumulative)
        self._connect = partial(Connection, speech, numbers, seed=1, mode=mode)
        self._silent = silent
        self.key: str | None = None
        """Of the account, where all share it."""
        self._keys: dict[int, str] = {}
        self.connection = self._connect()
        self.wire = wire
        self.delivered: list[ExchangeEvent] = []
        self.log: list[tuple[float, actions.Action]] = []
        self.fates: dict[int, tuple[float, ...]] = {}
        self.spared: dict[int, int] = {}
        self.pushed = 0
        self.reads: deque[Plan] = deque()
        self.plan = Plan()
        self.reachable = True
        self.altered: Callable[[Account], Account] = lambda account: account
        """What the venue makes of each answer."""
        self.began_ms: int | None = None
        self.gap_open = False
        self.restarts = 0
        self._marked = -1
        self._covered: dict[str, list[tuple[Decimal, Decimal]]] = {}
        self._sockets: dict[int, bool] = {}
        self._asleep_until: float | None = None
        self._backlog: list[inputs.Input] = []
        self._heap: list[tuple[float, int, int | None, inputs.Input | Callable[[], object]]] = []
        self._life = 0
        self._order = itertools.count()
        if start:
            self.feed(inputs.Start())

    @property
    def exchange_ms(self) -> int:
        return EPOCH + round(self.now * 1000)

    # What a script does

    def at(self, when: float, what: inputs.Input | Callable[[], object]) -> None:
        heapq.heappush(self._heap, (max(when, self.now), next(self._order), None, what))

    def run(self, until: float) -> World:
        """Let time pass; what is due at one time goes before the connection's own timers."""
        while True:
            wake = self._asleep_until
            deadline = self.connection.deadline if wake is None else wake
            when = min(deadline, self._heap[0][0] if self._heap else math.inf)
            if when > until:
                self.now = max(self.now, until)
                return self
            self.now = max(self.now, when)
            if self._heap and self._heap[0][0] <= self.now:
                _, _, life, what = heapq.heappop(self._heap)
                if life not in (None, self._life):
                    continue
                if callable(what):
                    what()
                else:
                    self.feed(what)
            elif wake is not None:
                self._asleep_until = None
                waiting, self._backlog = self._backlog, []
                for received in (inputs.Tick(), *waiting):
                    self.feed(received)
            else:
                self.feed(inputs.Tick())

    def passes(self, seconds: float) -> World:
        return self.run(self.now + seconds)

    def restart(self) -> None:
        """The process is killed and starts again, with a journal of all that was delivered."""
        began, proven = self.connection.began, self._marked if self._marked >= 0 else None
        self.connection = self._connect()
        self._life += 1
        self._sockets.clear()
        self._asleep_until, self._backlog = None, []
        self.gap_open = False
        self.restarts += 1
        known = None if began is None else inputs.Checkpoint(began, proven, tuple(self.delivered))
        self.feed(inputs.Start(known))

    def sleep(self, seconds: float) -> None:
        """Our own process stands still; what comes in meanwhile waits."""
        self._asleep_until = self.now + seconds

    def feed(self, received: inputs.Input) -> list[actions.Action]:
        if self._asleep_until is not None:
            self._backlog.append(received)
            return []
        if isinstance(received, inputs.FrameReceived) and received.socket not in self._sockets:
            return []
        ordered = self.connection.handle(received, now=self.now)
        assert self.connection.deadline > self.now
        for action in ordered:
            self.log.append((self.now, action))
            self._perform(action)
        return ordered

    def say(self, report: Report, after: float = LATENCY, spare: int | None = None) -> None:
        """A frame for every open socket, but for the one at this place."""
        for place, (socket, distrusted) in enumerate(self._sockets.items()):
            dead = self._silent and self._keys[socket] != self.key
            if not (distrusted or dead) and place != spare:
                self._later(self.now + after, inputs.FrameReceived(socket, frame(report)))

    def lose(self, *, after: int = 0) -> None:
        """The next frame of the exchange is lost, or one some frames later."""
        self.fates[self.pushed + after] = ()

    def lose_one(self, place: int) -> None:
        """The next frame is lost on one of the sockets."""
        self.spared[self.pushed] = place

    def delay(self, *seconds: float) -> None:
        """The next frame comes so late; with several delays, several times."""
        self.fates[self.pushed] = seconds

    def kill(self) -> None:
        """Every socket breaks; what was on its way is lost."""
        for socket in tuple(self._sockets):
            del self._sockets[socket]
            self.feed(inputs.SocketClosed(socket, 1006))

    def deafen(self) -> None:
        """Every socket stays open and nothing comes any more."""
        for socket in self._sockets:
            self._sockets[socket] = True

    # What a script asks

    @property
    def health(self) -> Health:
        return self.connection.health

    def fills(self, order_id: str | None = None) -> list[Fill]:
        told = [event for event in self.delivered if isinstance(event, Fill)]
        return [event for event in told if order_id in (None, event.order_id)]

    def states(self, order_id: str | None = None) -> list[OrderState]:
        told = [event for event in self.delivered if isinstance(event, OrderState) and not isinstance(event, Fill)]
        return [event for event in told if order_id in (None, event.order_id)]

    def intervals(self, order_id: str | None = None) -> list[tuple[str, str, str]]:
        """(from, to, source) of each fill, in the order of delivery."""
        return [
            (str(event.cumulative_qty - event.fill_qty), str(event.cumulative_qty), event.source)
            for event in self.fills(order_id)
        ]

    def gaps(self) -> list[tuple[str, str]]:
        return [(event.kind.value, event.reason.value) for event in self.delivered if isinstance(event, GapNotice)]

    def outline(self, since: float = 0.0) -> list[str]:
        """What was delivered, in words; health is left out."""
        words = []
        for now, action in self.log:
            if isinstance(action, actions.Deliver) and now >= since and action.event.kind != "HEALTH":
                event = action.event
                word = event.kind.value
                if isinstance(event, GapNotice):
                    word += f" {event.reason.value}" + ("" if event.kind == "GAP_OPENED" else f" {event.recovered}")
                elif isinstance(event, OrderState):
                    word += f" {event.order_id} {event.cumulative_qty} {event.source}"
                elif isinstance(event, AccountUpdate):
                    word += f" {event.source}"
                words.append(word)
        return words

    def times(self, kind: type) -> list[float]:
        return [round(now, 3) for now, action in self.log if isinstance(action, kind)]

    def seen(self, kind: type) -> list[Any]:
        return [action for _, action in self.log if isinstance(action, kind)]

    # How the world works

    def _later(self, when: float, what: inputs.Input | Callable[[], object]) -> None:
        """Unless our process is killed before."""
        heapq.heappush(self._heap, (when, next(self._order), self._life, what))

    def _push(self, push: Push) -> None:
        delays, spare = self.fates.get(self.pushed, (LATENCY,)), self.spared.get(self.pushed)
        self.pushed += 1
        if isinstance(push, OrderReport) and self.wire != "l":
            push = msgspec.structs.replace(push, last_qty=None, last_price=None, trade_id=None)
        for delay in delays:
            self.say(push, delay, spare)

    def _perform(self, action: actions.Action) -> None:
        match action:
            case actions.CreateKey(request):
                self._later(self.now + 0.05, lambda: self._grant(request))
            case actions.OpenSocket(socket):
                self._keys[socket] = action.key
                self._later(self.now + 0.05, lambda: self._open(socket))
            case actions.CloseSocket(socket):
                self._sockets.pop(socket, None)
                self._later(self.now + 0.02, inputs.SocketClosed(socket, 1000))
            case actions.RenewKey(request) if self._silent:
                gone = inputs.Refused(request, Refusal(RefusalKind.GONE, "no such key"))
                self._later(self.now + 0.05, gone if self.key is None else action.renewed(self.key))
            case actions.RenewKey(request):
                self._later(self.now + 0.05, inputs.KeyRenewed(request))
            case actions.SendPing(socket):
                if not self._sockets.get(socket, True):
                    self._later(self.now + LATENCY, inputs.Heard(socket))
            case actions.DeleteKey():
                self._later(self.now + 0.05, action.deleted())
            case actions.ReadAccount():
                self._read(action)
            case actions.Deliver(event):
                self.delivered.append(event)
                self._check(event)
            case actions.MarkProven(until):
                assert until >= self._marked
                self._marked = until

    def _grant(self, request: int) -> None:
        if not self.reachable:
            self.feed(inputs.Refused(request, RETRY))
            return
        if self.began_ms is None:
            self.began_ms = self.exchange_ms
        if self.key is None or not self._silent:
            self.key = f"key{request}"
        self.feed(inputs.KeyGranted(request, self.key, 3600, self.exchange_ms))

    def _open(self, socket: int) -> None:
        if not self.reachable:
            self.feed(inputs.SocketClosed(socket))
            return
        self._sockets[socket] = False
        self.feed(inputs.SocketOpened(socket))
        if not self._silent:
            self._ping(socket)

    def _ping(self, socket: int) -> None:
        if socket in self._sockets:
            if not self._sockets[socket]:
                self._later(self.now + LATENCY, inputs.FrameReceived(socket, frame(Heartbeat("pong"))))
            self._later(self.now + 5, lambda: self._ping(socket))

    def _read(self, asked: actions.ReadAccount) -> None:
        plan = self.reads.popleft() if self.reads else self.plan
        if plan.begins == math.inf:
            return
        begin, middle, end = (self.now + plan.begins + plan.takes * part for part in (0.0, 0.5, 1.0))
        if plan.refusal is not None:
            self._later(end, inputs.Refused(asked.request, plan.refusal))
            return

        def answer() -> None:
            times = (_ms(begin), _ms(middle), _ms(end))
            lags = {"lag": plan.lag, "order_lag": plan.order_lag, "history": plan.history}
            if asked.since is None and asked.orders:
                account = self.exchange.alone(times, asked.orders, **lags)  # type: ignore[arg-type]
            else:
                since = times[0] - 1 if asked.since is None else asked.since
                account = self.exchange.whole(times, since, asked.orders, **lags)  # type: ignore[arg-type]
            self.feed(inputs.AccountRead(asked.request, self.altered(account)))

        self._later(end, answer)

    def _check(self, event: ExchangeEvent) -> None:
        if isinstance(event, GapNotice):
            self.gap_open = event.kind == "GAP_OPENED" or (event.kind == "RECONNECTED" and self.gap_open)
        elif isinstance(event, Fill):
            start, end = event.cumulative_qty - event.fill_qty, event.cumulative_qty
            covered = self._covered.setdefault(event.order_id, [])
            assert start < end
            assert all(end <= low or start >= high for low, high in covered), f"twice: {event}"
            if not self.gap_open and covered:
                assert start == max(high for _, high in covered), f"out of order: {event}"
            covered.append((start, end))
        elif isinstance(event, AccountUpdate):
            now = self.exchange_ms
            wallets = {wallet for ts, wallet in self.exchange.wallets if ts <= now}
            held = [positions for ts, positions in self.exchange.positions if ts <= now]
            for balance in event.balances:
                assert balance.wallet_balance in wallets
            for position in event.positions:
                signed = -position.qty if position.side == "SHORT" else position.qty
                assert any(positions.get(position.symbol, Decimal(0)) == signed for positions in held)


def ready(wire: str = "l", **policy: float) -> World:
    """A stream that is live: its first read has passed, and the audit after it; the next audit is two minutes away."""
    return World(wire=wire, **policy).run(8)  # type: ignore[arg-type]


def _ms(when: float) -> int:
    return EPOCH + round(when * 1000)


def merged(intervals: Iterable[tuple[Decimal, Decimal]]) -> list[tuple[Decimal, Decimal]]:
    """Adjacent intervals as one."""
    joined: list[tuple[Decimal, Decimal]] = []
    for start, end in sorted(intervals):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def told(world: World, since: float = 0.0) -> list[str]:
    """What was delivered, without the account."""
    return [part for part in world.outline(since) if not part.startswith(("ACCOUNT", "BALANCE_CHANGE"))]


def marks(world: World) -> list[int]:
    """Every `MarkProven`, in ms since the world began."""
    return [mark.until - EPOCH for mark in world.seen(actions.MarkProven)]
